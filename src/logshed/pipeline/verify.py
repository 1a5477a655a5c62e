"""Reads what rests in a lake and looks for what its policy forbids."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed import schema
from logshed.pipeline.resting import RESTING_PLACES, ROWS_AT_ONCE, Sample
from logshed.redaction.naming import of_everything, stems
from logshed.redaction.scan import EXAMPLES, Hit, Scanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.lake.store import Store
    from logshed.pipeline.resting import Place
    from logshed.redaction.model import Policy

_ENTERPRISE = r"@([0-9]+)[.]"
"""RFC 5424, 6.3.2 names structured data by a name and an enterprise's number; our dot and a parameter's name follow."""

NAMES = ("source", "resource")
"""Columns that hold names of files. These rest in the ledger and the manifests too, which belong to no collection: all
that the policy or any of its overrides forbids is forbidden in them."""

STRICTEST = "strictest"
"""Instead of a policy's name: every rule that there is."""


@dataclass(frozen=True, slots=True)
class Leak:
    """What one rule found in one column of one place.

    Attributes:
        table: The place.
        column: The column, or ``bytes``.
        rule: The rule, or the column where the policy names it.
        count: Values found in the rows that were read.
        where: Where one of them stands, redacted.
        examples: Values with their letters and digits hidden; of secrets only the length.
    """

    table: str
    column: str
    rule: str
    count: int
    where: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at and found.

    Attributes:
        policy: By whose rules.
        share: Share of the rows that was asked for.
        seed: Which rows.
        rows: Rows that there are, by place.
        read: Rows that were read.
        leaks: What was found.
        unread: Files that no table has and that are not whole.
    """

    policy: str
    share: float
    seed: int
    rows: dict[str, int]
    read: dict[str, int]
    leaks: tuple[Leak, ...]
    unread: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.leaks

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"ok": self.ok, **asdict(self)}


def verify(
    store: Store,
    policy: Policy,
    sample: Sample,
    *,
    progress: Callable[[str, Sample], None] | None = None,
    look: Callable[[str, pl.Series], None] | None = None,
) -> Verification:
    """Look for what the policy forbids in everything that rests.

    Args:
        store: The lake.
        policy: What is forbidden; its overrides hold for the collections and sources that they name.
        sample: How much of the tables to read; files beside them are always read whole.
        progress: Is told the place and the rows read so far.
        look: Is shown every column of text too.

    Raises:
        LakeError: A file of the lake cannot be read.
    """
    scanners = _Scanners(policy)
    found: dict[tuple[str, str, str], Leak] = {}
    for place in RESTING_PLACES:
        for frame in _gathered(place.frames(store, sample)):
            for part, scanner in scanners.parts(frame, place):
                for column, text, rows, names in _columns(part):
                    if look is not None:
                        look(column, text)
                    hits = scanners.names(column, text) if column in NAMES else scanner.texts(column, text, names)
                    _add(found, place, part, rows, scanners, hits)
                _add(found, place, part, None, scanners, scanner.fields(part))
            if progress is not None:
                progress(place.name, sample)
    leaks = tuple(found[key] for key in sorted(found))
    return Verification(
        policy.name, sample.share, sample.seed, sample.rows, sample.read, leaks, tuple(sorted(set(sample.unread)))
    )


def _gathered(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in larger frames: each one costs as much as thousands of rows."""
    held: list[pl.DataFrame] = []
    for frame in frames:
        held.append(frame)
        if sum(one.height for one in held) >= ROWS_AT_ONCE:
            yield pl.concat(held, how="diagonal")
            held = []
    if held:
        yield pl.concat(held, how="diagonal")


class _Scanners:
    """The scanner of the policy, and those of its overrides."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._made = {id(one): Scanner(one) for one in (policy, *(override.policy for override in policy.overrides))}
        self._of_names = Scanner(of_everything(policy)) if policy.overrides else self._made[id(policy)]
        self._of_files = Scanner(_common(policy)) if policy.overrides else self._made[id(policy)]

    def names(self, column: str, text: pl.Series) -> list[Hit]:
        """What is found in names of files, also before what the names of logs end in."""
        return self._of_names.texts(column, text) or self._of_names.texts(column, stems(text))

    def where(self, text: str) -> str:
        """A place as it may be told."""
        return self._of_names.shown(text)

    def parts(self, frame: pl.DataFrame, place: Place) -> Iterator[tuple[pl.DataFrame, Scanner]]:
        """The rows, by what holds for them."""
        if not place.table:
            yield frame, self._of_files
        elif not self._policy.overrides:
            yield frame, self._made[id(self._policy)]
        else:
            known = [
                name for name in ("collection", "source") if name in frame.columns
            ]  # findings are of no one source
            for names, part in frame.group_by(known, maintain_order=True):
                yield part, self._made[id(self._policy.of(*[*map(str, names), ""][:2]))]


def _common(policy: Policy) -> Policy:
    """What the policy and all its overrides forbid: files beside the tables hold something of every collection."""
    others = [override.policy for override in policy.overrides]
    rules = tuple(rule for rule in policy.rules if all(rule.name in one.treatments for one in others))
    columns = {name: one for name, one in policy.columns.items() if all(name in other.columns for other in others)}
    treatments = {rule.name: policy.treatments[rule.name] for rule in rules}
    return replace(policy, rules=rules, treatments=treatments, columns=columns, overrides=())


def _columns(frame: pl.DataFrame) -> Iterator[tuple[str, pl.Series, pl.Series | None, pl.Series | None]]:
    """Columns of text, with the rows that attributes are in, and the names that they have."""
    for name, kind in frame.schema.items():
        # A file's name is among its bytes, without the ids in it that are ours.
        if kind == pl.String and not (name == "source" and "bytes" in frame.columns):
            yield name, frame[name], None, None
    if schema.UNMAPPED in frame.columns:
        array = frame[schema.UNMAPPED].rechunk().to_arrow()
        places = pl.int_range(len(array.keys), dtype=pl.Int64, eager=True)
        rows = pl.Series(array.offsets).cast(pl.Int64).search_sorted(places, side="right").cast(pl.Int64) - 1
        names = pl.Series(array.keys, dtype=pl.String)
        yield f"{schema.UNMAPPED} (names)", names.str.replace_all(_ENTERPRISE, "@$1 "), rows, None
        yield schema.UNMAPPED, pl.Series(array.items, dtype=pl.String), rows, names


def _add(
    found: dict[tuple[str, str, str], Leak],
    place: Place,
    frame: pl.DataFrame,
    rows: pl.Series | None,
    scanners: _Scanners,
    hits: list[Hit],
) -> None:
    for hit in hits:
        row = hit.row if rows is None else int(rows[hit.row])
        key = (place.name, hit.column, hit.rule)
        before = found.get(key)
        where = before.where if before else scanners.where(_where(frame, row))
        examples = tuple(dict.fromkeys([*(before.examples if before else ()), *hit.examples]))[:EXAMPLES]
        found[key] = Leak(*key, hit.count + (before.count if before else 0), where, examples)


def _where(frame: pl.DataFrame, row: int) -> str:
    source = (frame["source"][row] if "source" in frame.columns else None) or ""
    offset = frame["offset"][row] if "offset" in frame.columns else None
    return str(source) if offset is None else f"{source} at byte {offset}"
