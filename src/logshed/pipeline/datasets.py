"""Files as pieces of work that give rows of ``logs`` anywhere: planned once, read where a data-frame engine says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logshed.pipeline.convert import COLUMNS, chosen_columns
from logshed.pipeline.dataset_rows import Rows
from logshed.pipeline.passing import Pass
from logshed.pipeline.planning import AUTO, Options, split_size
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.work import Split

PIECE_BYTES = 2**23
"""A task takes at least so much where nobody says how many there are: shorter ones cost more than they bring."""
LEAST_BYTES = 2**16
MOST_PIECES = 10_000
"""Above so many the pieces are longer, up to the setting ``split_bytes``: the driver has all of them in memory."""
IN_MEMORY = 4
"""Bytes of Arrow that a byte of a log comes to, about, with all columns."""

Piece = tuple["Split", ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What some paths come to.

    Attributes:
        read: Reads a piece.
        pieces: All of them, in the order of the files and their bytes.
        sizes: Bytes of each on disk, about.
    """

    read: Rows
    pieces: list[Piece]
    sizes: list[int]

    @property
    def bytes(self) -> int:
        """Bytes in memory, about."""
        return sum(self.sizes) * IN_MEMORY * len(self.read.schema) // len(COLUMNS)

    def at_most(self, count: int) -> Plan:
        """The same in at most so many pieces: neighbours together, until each has its share of the bytes."""
        if count >= len(self.pieces):
            return self
        total, done = max(sum(self.sizes), 1), 0
        groups: dict[int, list[int]] = {}
        for number, size in enumerate(self.sizes):
            groups.setdefault(min((done + size // 2) * count // total, count - 1), []).append(number)
            done += size
        return Plan(
            self.read,
            [tuple(split for number in numbers for split in self.pieces[number]) for numbers in groups.values()],
            [sum(self.sizes[number] for number in numbers) for numbers in groups.values()],
        )


def asked(
    paths: str | Path | Sequence[str | Path],
    settings: Settings | None,
    *,
    columns: Sequence[str] | None = None,
    pieces: int | None = None,
    policy: str | None = None,
    format: str | None = None,  # noqa: A002 - the option's name
    collection: str | None = None,
    **reading: Any,
) -> Plan:
    """The work of ``read_logs``: as ``plan``, with what was not said as the settings have it."""
    settings = settings or Settings.load()
    if policy is not None:
        settings = settings.model_copy(update={"policy": policy})
    listed = [paths] if isinstance(paths, (str, Path)) else paths
    options = Options(format=format or AUTO, collection=collection or settings.collection, **reading)
    return plan([str(path) for path in listed], settings, options, tuple(columns or ()), pieces)


def plan(
    paths: Sequence[str], settings: Settings, options: Options, columns: Sequence[str] = (), pieces: int | None = None
) -> Plan:
    """Find the files and their formats, and cut what can be cut.

    Args:
        paths: Files, folders, globs, addresses of objects.
        settings: Settings; drop rules and transforms hold as in an ingest.
        options: How to read.
        columns: The columns of the rows, in order; none are all but ``batch``.
        pieces: How many pieces there should be; None makes them about ``PIECE_BYTES`` long.

    Raises:
        SourceError: A path cannot be read.
        UsageError: There is no such column.
        LogshedError: A format, the policy, a drop rule, a transform, a database or a threat list is wrong.
    """
    names = chosen_columns(columns)
    passing = Pass(settings, options)
    files = passing.plans(paths, lambda size: _piece_bytes(size, pieces, settings.split_bytes))
    passing.check()
    splits = [split for one in files for split in one.splits]
    sizes = {one.target.locator: one.target.size for one in files}
    read = Rows(
        passing.job,
        settings.objects.access(settings.storage),
        names,
        {one.target.locator: one.target.path for one in files},
    )
    found = Plan(read, [(split,) for split in splits], [split_size(split, sizes) for split in splits])
    return found.at_most(pieces or max(1, sum(found.sizes) // PIECE_BYTES))


def _piece_bytes(size: int, pieces: int | None, most: int) -> int:
    wanted = size // pieces if pieces else max(PIECE_BYTES, size // MOST_PIECES)
    return min(max(wanted, LEAST_BYTES), most)
