"""Chooses which small files of a table are written anew together, and where the new ones are cut."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
from pyiceberg.conversions import from_bytes
from pyiceberg.types import TimestamptzType

from logshed.lake import storage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

STEM = "compact-"
"""How the names of files begin that compaction wrote: alone they are no reason to do it again."""
_DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large is what.

    Attributes:
        target: Bytes of a new file; it is closed at the first run of rows past that.
        least: Fewer files are not worth it.
        run_rows: Rows that are sorted in memory at a time: two row groups.
    """

    target: int = 256 * 2**20
    least: int = 5
    run_rows: int = 2 * 122_880

    @property
    def small(self) -> int:
        """A file below this is small."""
        return self.target * 3 // 4

    @property
    def alone(self) -> int:
        """Days that come to less share a file with their neighbours."""
        return self.target // 8

    @property
    def together(self) -> int:
        """Bytes of files that one commit replaces: so much more room is needed meanwhile."""
        return self.target * 8


@dataclass(frozen=True, slots=True)
class Dated:
    """A data file and the times (microseconds since 1970, UTC) that its rows lie between."""

    file: IcebergFile
    first: int
    last: int

    @property
    def days(self) -> tuple[int, int]:
        """Its first and its last day."""
        return self.first // _DAY_US, self.last // _DAY_US

    @property
    def fresh(self) -> bool:
        """Whether compaction has not written it."""
        return not self.file.file_path.rpartition("/")[2].startswith(STEM)


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are replaced together.

    Attributes:
        files: The files.
        at: Where this machine has them, by their addresses; themselves where this is not said.
    """

    files: tuple[Dated, ...]
    at: Mapping[str, str] = field(default_factory=dict, compare=False)

    def here(self, file: Dated) -> str:
        """Where this machine reads a file of it."""
        path = storage.local(file.file.file_path)
        return self.at.get(path, path)

    @property
    def bytes(self) -> int:
        """Their bytes."""
        return sum(one.file.file_size_in_bytes for one in self.files)

    @property
    def rows(self) -> int:
        """Their rows."""
        return sum(one.file.record_count for one in self.files)

    @property
    def folder(self) -> str:
        """Where they lie: the folder of their partition."""
        return storage.local(self.files[0].file.file_path).rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Run:
    """Rows that are sorted in memory together.

    Attributes:
        first: Their first moment.
        end: The first moment after them.
        pack: The file that they go to; its number goes up.
        dense: Whether one minute alone has more rows than that.
    """

    first: datetime
    end: datetime
    pack: int
    dense: bool = False


def groups(table: Table, files: Iterable[IcebergFile], column: str, sizes: Sizes) -> list[Group]:
    """The groups of small files of a table that are worth being written anew.

    Files whose days overlap go together, and days that come to little with their neighbours; never across a partition.

    Args:
        table: The table.
        files: Its data files.
        column: Its column of time.
        sizes: How large is what.
    """
    field = table.schema().find_field(column).field_id
    partitions: dict[str, list[Dated]] = defaultdict(list)
    for file in files:
        dated = _dated(file, field)
        if dated is not None and file.file_size_in_bytes < sizes.small:
            partitions[f"{file.spec_id} {file.partition}"].append(dated)
    found = []
    for small in partitions.values():
        for near in _near(sorted(small, key=lambda one: (one.first, one.last, one.file.file_path)), sizes):
            found += [Group(tuple(part)) for part in _parts(near, sizes) if _due(part, sizes)]
    return sorted(found, key=lambda one: one.files[0].first)


def runs(minutes: pl.DataFrame, group: Group, sizes: Sizes) -> list[Run]:
    """In which runs to write a group, and where to begin a new file: at the beginning of a day, and only there.

    Args:
        minutes: ``minute`` and ``rows`` of each that has some, in their order.
        group: The group.
        sizes: How large is what.
    """
    per_row = group.bytes / max(group.rows, 1)
    days = minutes.group_by(pl.col("minute").dt.truncate("1d"), maintain_order=True).agg(pl.col("rows").sum())
    packs: dict[datetime, int] = {}
    number, filled = 0, 0.0
    for day, rows in days.iter_rows():
        if filled and filled + rows * per_row > sizes.alone:
            number, filled = number + 1, 0.0
        packs[day] = number
        filled += rows * per_row
    found: list[Run] = []
    held = 0
    for minute, rows in minutes.iter_rows():
        pack, end = packs[minute.replace(hour=0, minute=0)], minute + timedelta(minutes=1)
        if found and found[-1].pack == pack and held + rows <= sizes.run_rows:
            found[-1] = Run(found[-1].first, end, pack)
            held += rows
        else:
            found.append(Run(minute, end, pack, rows > sizes.run_rows))
            held = rows
    return found


def _dated(file: IcebergFile, field: int) -> Dated | None:
    bounds = [(found or {}).get(field) for found in (file.lower_bounds, file.upper_bounds)]
    if bounds[0] is None or bounds[1] is None:
        return None  # another program wrote it, and did not say
    first, last = (int(from_bytes(TimestamptzType(), bound)) for bound in bounds if bound is not None)
    return Dated(file, first, last)


def _near(files: Sequence[Dated], sizes: Sizes) -> Iterator[list[Dated]]:
    """Files whose days overlap, or that are small enough to share a file; all in the order of their first moment."""
    held: list[Dated] = []
    for file in files:
        if held:
            overlaps = file.days[0] <= max(one.days[1] for one in held)
            size = sum(one.file.file_size_in_bytes for one in (*held, file))
            if not overlaps and size > sizes.alone:
                yield held
                held = []
        held.append(file)
    if held:
        yield held


def _parts(files: Sequence[Dated], sizes: Sizes) -> Iterator[list[Dated]]:
    """So many together as one commit replaces."""
    held: list[Dated] = []
    size = 0
    for file in files:
        if held and size + file.file.file_size_in_bytes > sizes.together:
            yield held
            held, size = [], 0
        held.append(file)
        size += file.file.file_size_in_bytes
    if held:
        yield held


def _due(files: Sequence[Dated], sizes: Sizes) -> bool:
    return len(files) >= sizes.least and any(one.fresh for one in files)


def moment(microseconds: int) -> datetime:
    """A time of a file's bounds."""
    return _EPOCH + timedelta(microseconds=microseconds)
