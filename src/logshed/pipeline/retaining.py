"""Takes away rows that were kept long enough, by when they were read, not by when they happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from logshed.lake import ages
from logshed.lake.adjusting import KEY, LINES_GONE, adjustments, before, with_aged, with_retained
from logshed.lake.names import CASES, FOUND, GOLD, LINES, LOGS, RETAINED_PROPERTY, TRAIL, TRAIL_PROPERTY
from logshed.lake.rewriting import Change, Rewriting, taken_of, without
from logshed.lake.scan import batches_missing
from logshed.lake.trail import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

    from logshed.lake.staying import Taken
    from logshed.lake.store import Store
    from logshed.retain_settings import Layer, Retain

RULE = "(retain)"
"""By which the ledger says lines were dropped."""
VERB = "retain"
_LAYERS: dict[str, tuple[Layer, str]] = {
    LINES.name: ("bronze", "observed_timestamp"),
    LOGS.name: ("silver", "observed_timestamp"),
    FOUND.name: ("findings", "observed_timestamp"),
    CASES.name: ("incidents", "updated_timestamp"),
    TRAIL.name: ("audit", "timestamp"),
}
"""Of each table the layer, and the column that says when a row was read or written; gold tables have none."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Moments before which rows are old.

    Attributes:
        other: That of any collection that has none of its own; None: nothing is.
        own: Those of collections that have one.
    """

    other: datetime | None
    own: dict[str, datetime | None]

    @classmethod
    def of(cls, retain: Retain, layer: Layer, now: datetime) -> Cuts:
        """The moments of a layer: beginnings of days (UTC), so that a day goes as a whole."""
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        days, own = retain.days(layer)
        moments = {name: _ago(today, one) for name, one in own.items()}
        return cls(_ago(today, days), moments)

    @property
    def latest(self) -> datetime | None:
        """Nothing from then on is old."""
        return max((one for one in (self.other, *self.own.values()) if one is not None), default=None)

    def before(self, column: str | pl.Expr) -> pl.Expr:
        """Which rows are old."""
        return before(column, self.other, self.own)


def retain(store: Store, name: str, settings: Retain, *, dry: bool, now: datetime | None = None) -> Rewriting:
    """Take away what a table has kept long enough.

    Args:
        store: The lake.
        name: The table's full name.
        settings: How long.
        dry: Only say what would be done.
        now: The present; None takes the clock.

    Raises:
        LakeError: A file cannot be read or written; nothing of the table was changed.
    """
    layer, column = _layer(name)
    if layer is None:
        return Rewriting()  # a table of somebody's own
    cuts = Cuts.of(settings, layer, now or datetime.now(UTC))
    if cuts.latest is None:
        return Rewriting()
    look = partial(_LOOKS.get(layer, _rows), store, cuts, column)
    if dry:
        return _would(look(store.load(name)))
    noted = _NOTED.get(layer, _with_cuts)
    return without(
        store,
        name,
        look,
        Change(
            VERB,
            adjust=(lambda taken: adjustments((one.facts for one in taken), RULE)) if name == LINES.name else None,
            noted=partial(noted, cuts),
        ),
    )


def why(store: Store, name: str, settings: Retain) -> tuple[str, bool]:
    """The setting by which rows of a table go by their age, and whether none has gone by its age so far."""
    layer, _ = _layer(name)
    return (settings.why(layer) if layer else "", RETAINED_PROPERTY not in store.load(name).properties)


def _layer(name: str) -> tuple[Layer | None, str]:
    """The layer of a table and its column of time; None of a table of somebody's own."""
    return _LAYERS.get(name, ("gold", "timestamp") if name.startswith(f"{GOLD}.") else (None, ""))


def _lines(store: Store, cuts: Cuts, column: str, table: Table) -> list[Taken]:
    """Old lines that ``logs`` has taken; of those that it has not it must be built yet."""
    waiting = list(batches_missing(store, LOGS.short))
    held = pl.col("batch").is_in(waiting) if waiting else pl.lit(value=False)
    hits = partial(_hit, table, cuts, column, cuts.before(column) & ~held)
    return taken_of(table, hits, LINES_GONE, KEY)


def _logs(_: Store, cuts: Cuts, column: str, table: Table) -> list[Taken]:
    hits = partial(_hit, table, cuts, column, cuts.before(column))
    return taken_of(table, hits, (), (pl.col("timestamp").dt.date().alias("day"),))


def _rows(_: Store, cuts: Cuts, column: str, table: Table) -> list[Taken]:
    return taken_of(table, partial(_hit, table, cuts, column, cuts.before(column)), ())


def _gold(_: Store, cuts: Cuts, column: str, table: Table) -> list[Taken]:
    """A gold table's rows are as old as their file: a day is computed, and written, as a whole."""

    def hits(file: IcebergFile) -> pl.Expr | None:
        first, _ = ages.bounds(table, file, column)
        if cuts.latest is None or (first is not None and first >= cuts.latest):
            return None  # nothing is computed before it has happened
        made = ages.computed(file)
        return cuts.before(pl.lit(made, pl.Datetime("us", "UTC"))) if made < cuts.latest else None

    return taken_of(table, hits, ())


def _trail(_: Store, cuts: Cuts, column: str, table: Table) -> list[Taken]:
    """The chain's beginning, up to the first entry that is not old."""
    newest = ages.last_before(table, column, cuts.other)
    if newest is None:
        return []
    own = pl.col("hash").filter(pl.col("sequence") == newest).first()
    return taken_of(table, lambda _: pl.col("sequence") <= newest, (own, pl.col("sequence").max()))


def _hit(table: Table, cuts: Cuts, column: str, hit: pl.Expr, file: IcebergFile) -> pl.Expr | None:
    first, _ = ages.bounds(table, file, column)
    return hit if first is None or cuts.latest is None or first < cuts.latest else None


def _with_cuts(cuts: Cuts, table: Table, _: Sequence[Taken]) -> dict[str, str]:
    return with_retained(table, {"*": cuts.other, **cuts.own})


def _with_days(cuts: Cuts, table: Table, taken: Sequence[Taken]) -> dict[str, str]:
    days = {day for one in taken for day in one.facts["day"].to_list()}
    return {**_with_cuts(cuts, table, taken), **with_aged(table, days)}


def _with_beginning(cuts: Cuts, table: Table, taken: Sequence[Taken]) -> dict[str, str]:
    """The chain goes on from the last entry that is gone: its number and hash stay."""
    sequence, found = max((one.facts["sequence"].item(), one.facts["hash"].item()) for one in taken)
    head = Head.of(table)
    told = json.dumps(head.beginning(sequence, found).as_dict())
    return {**_with_cuts(cuts, table, taken), TRAIL_PROPERTY: told}


_LOOKS: dict[str, Callable[[Store, Cuts, str, Table], list[Taken]]] = {
    "bronze": _lines,
    "silver": _logs,
    "gold": _gold,
    "audit": _trail,
}
_NOTED: dict[str, Callable[[Cuts, Table, Sequence[Taken]], dict[str, str]]] = {
    "silver": _with_days,
    "audit": _with_beginning,
}


def _would(taken: Sequence[Taken]) -> Rewriting:
    return Rewriting(
        rows=sum(one.rows for one in taken),
        files=len(taken),
        dropped=sum(one.whole for one in taken),
        bytes=sum(one.file.file_size_in_bytes for one in taken),
    )


def _ago(today: datetime, days: int | None) -> datetime | None:
    return None if days is None else today - timedelta(days=days)
