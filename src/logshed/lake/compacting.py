"""Compaction: small files of a table become large ones, each group of them in one commit that other writers survive."""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source
from pyiceberg.exceptions import ValidationException
from pyiceberg.manifest import ManifestContent

from logshed.errors import CommitConflictError, LakeError
from logshed.lake import by_ids, storage
from logshed.lake.commit import ATTEMPTS, LOST, back_off, landed, reloaded, remove_files, swap, trim_snapshots
from logshed.lake.compact_plan import STEM, Sizes, moment, runs
from logshed.lake.names import LINES
from logshed.lake.scan import iceberg_files
from logshed.lake.steps import step
from logshed.lake.writing import ROW_GROUP_ROWS, cause_of, digest, whole_schema
from logshed.work import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyiceberg.table import Table

    from logshed.lake.compact_plan import Group, Run
    from logshed.lake.names import TableDef
    from logshed.lake.store import Store

LEVEL = 3
"""zstd's level: 10 % more time than 1, 2 % fewer bytes, once."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What came of a group.

    Attributes:
        files: Files that take its place; none where another writer has taken one of the old ones away meanwhile.
        bytes: Their bytes.
    """

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Compaction:
    """Writes groups' rows into large files beside them: what a worker does of a compaction.

    Rows lie by day, and in each run of rows by the table's order. Memory is bounded by the rows of a run.

    Attributes:
        table: Their table.
        schema: Its Arrow schema, with field ids.
        sizes: How large is what.
    """

    table: TableDef
    schema: pa.Schema
    sizes: Sizes

    @classmethod
    def of(cls, store: Store, table: TableDef, sizes: Sizes) -> Compaction:
        """That of a table as it is now.

        Raises:
            LakeError: Rows are marked as deleted, or a column is of a type that Logshed does not write.
        """
        loaded = store.table(table)
        assert_nothing_marked(loaded, "compact")
        return cls(table, whole_schema(loaded), sizes)

    def __call__(self, group: Group, /) -> tuple[DataFile, ...]:
        """Write a group's rows.

        Raises:
            LakeError: A file cannot be read or written; what was written is gone again.
        """
        new: list[DataFile] = []
        try:
            with _copied(self.table, group) as near:
                for file in _written(self, near):
                    new.append(file)
                    step("after compact file")
            _assert_whole(self.table, group, new)
        except BaseException:
            remove_files(new)
            raise
        return tuple(new)

    def stop(self) -> None:
        """Nothing is given up: a file that is half written is of no table, and swept later."""


def put_in_place(store: Store, table: TableDef, group: Group, new: Sequence[DataFile]) -> Compacted:
    """Put files in a group's place.

    Raises:
        LakeError: Rows are marked as deleted meanwhile; nothing was changed.
        CommitConflictError: Other writers were quicker each time.
    """
    try:
        size = sum(storage.size(file.path) for file in new)
        if _committed(store, table, group, new):
            return Compacted(len(new), size)
    except BaseException:
        remove_unless_taken(store, table.name, new)
        raise
    remove_files(new)
    return Compacted(0, 0)


@contextmanager
def _copied(table: TableDef, group: Group) -> Iterator[Group]:
    """The group on this machine: its rows are read once for each run, which a storage elsewhere would count."""
    try:
        with storage.copies([storage.local(one.file.file_path) for one in group.files]) as copies:
            yield replace(group, at=copies)
    except FileNotFoundError as error:
        raise LakeError(
            f"cannot compact {table.short}: a file is gone ({error}); restore it from a backup, nothing was changed"
        ) from error


def remove_unless_taken(store: Store, name: str, new: Sequence[DataFile]) -> None:
    """Give the room back. An interrupt may come after the commit: then the table has them."""
    taken = {storage.local(file.file_path) for file in iceberg_files(store.load(name))}
    remove_files(file for file in new if file.path not in taken)


def _committed(store: Store, table: TableDef, group: Group, new: Sequence[DataFile]) -> bool:
    """Swap the files; where other writers were quicker, look again whether the old ones are all there still."""
    old, token = [one.file for one in group.files], uuid4().hex
    for attempt in range(ATTEMPTS):
        loaded = reloaded(store, table, attempt)
        if attempt and landed(loaded, token):
            return True
        assert_nothing_marked(loaded, "compact")
        try:
            step("before compact commit")
            swap(store, loaded, old, list(new), {}, {"logshed.verb": "compact"}, token)
        except ValidationException:
            return False
        except LOST as error:
            back_off(attempt, error)
            continue
        step("after compact commit")
        trim_snapshots(loaded)
        return True
    raise CommitConflictError(
        f"cannot compact {table.short}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def assert_nothing_marked(loaded: Table, verb: str) -> None:
    """Another program may mark rows as deleted in files beside the data: rows written anew would come back."""
    snapshot = loaded.current_snapshot()
    if snapshot is None or all(one.content == ManifestContent.DATA for one in snapshot.manifests(loaded.io)):
        return
    raise LakeError(
        f"cannot {verb} rows of {'.'.join(loaded.name())}: another program has marked rows of it as deleted; "
        "let that program rewrite its files, nothing was changed"
    )


def _assert_whole(table: TableDef, group: Group, new: list[DataFile]) -> None:
    rows = sum(file.rows for file in new)
    if rows != group.rows:
        raise LakeError(
            f"cannot compact {table.short}: {group.rows:,} rows were to be written and {rows:,} were; "
            "nothing was changed; run `logshed audit`, and report this"
        )


def _written(task: Compaction, group: Group) -> Iterator[DataFile]:
    with storage.workshop(group.folder) as folder:
        yield from _written_in(folder, task, group)


def _written_in(folder: str, task: Compaction, group: Group) -> Iterator[DataFile]:
    table, sizes = task.table, task.sizes
    columns, notes = _contents(group)
    there = {name for number, name in by_ids.called(task.schema).items() if number in columns}
    schema = pa.schema(field for field in task.schema if field.name in there or not field.nullable)
    path, whole = Path(), True
    try:
        waiting = deque(runs(_minutes(group, schema, table.partition_column), group, sizes))
        while waiting:
            path, whole = Path(folder) / f"{STEM}{uuid4().hex}.parquet", False
            rows = _Rows(group, table, schema, sizes, waiting, path)
            rows.frame().sink_parquet(
                path,
                compression="zstd",
                compression_level=LEVEL,
                row_group_size=ROW_GROUP_ROWS,
                arrow_schema=schema,
                metadata=notes,
                maintain_order=True,
            )
            checksum = digest(str(path)) if table == LINES else ""
            settled = storage.settle(path, group.folder)
            whole = True
            yield DataFile(table.name, settled, rows.written, checksum)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise LakeError(f"cannot compact {table.short}: {cause_of(error)}; run the same command again") from error
    finally:
        if not whole:
            path.unlink(missing_ok=True)


class _Rows:
    """The rows of one file, a run at a time, as a stream that Polars writes.

    Args:
        group: The group that they are of.
        table: Its table.
        schema: The columns, with field ids.
        sizes: How large is what.
        waiting: Runs that are not written yet; those that are go from it.
        path: The file that is being written.

    Attributes:
        written: Rows so far.
    """

    def __init__(
        self, group: Group, table: TableDef, schema: pa.Schema, sizes: Sizes, waiting: deque[Run], path: Path
    ) -> None:
        self._group = group
        self._table = table
        self._schema = schema
        self._sizes = sizes
        self._waiting = waiting
        self._path = path
        self.written = 0

    def frame(self) -> pl.LazyFrame:
        """The stream."""
        return register_io_source(self._stream, schema=types(self._schema))

    def _stream(
        self, columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        """Runs up to the next file's beginning. Nothing is chosen from them: a file takes all."""
        assert predicate is None  # noqa: S101 - what Polars asks of a source, not what a user gives
        assert most is None  # noqa: S101 - as above
        pack = self._waiting[0].pack
        while self._waiting and self._waiting[0].pack == pack and not (self.written and self._full()):
            run = self._waiting[0]
            for rows in _sorted(self._group, run, self._schema, self._table, self._sizes.run_rows):
                self.written += rows.height
                yield rows.select(columns or self._schema.names)
            self._waiting.popleft()

    def _full(self) -> bool:
        return self._path.exists() and self._path.stat().st_size >= self._sizes.target


def _contents(group: Group) -> tuple[set[int], dict[str, str]]:
    """The field ids that the files of a group have, and their notes; of several notes of a name a list."""
    columns: set[int] = set()
    notes: dict[str, set[str]] = {}
    for one in group.files:
        path = group.here(one)
        try:
            found = by_ids.footer(path)
        except (OSError, pa.ArrowException) as error:
            raise LakeError(
                f"cannot compact {path}: {cause_of(error)}; restore it from a backup, nothing was changed"
            ) from error
        columns |= set(found.names)
        for name, value in found.notes.items():
            notes.setdefault(name, set()).add(value)
    own = {name: values for name, values in notes.items() if name.startswith("logshed")}
    return columns, {name: _joined(values) for name, values in own.items()}


def _joined(values: set[str]) -> str:
    """One note for several; one that was joined before is a list already."""
    if len(values) == 1:
        return next(iter(values))
    every: dict[str, object] = {}
    for value in values:
        found = json.loads(value)
        for one in found if isinstance(found, list) else [found]:
            every[json.dumps(one, sort_keys=True)] = one
    return json.dumps([every[text] for text in sorted(every)])


def _minutes(group: Group, schema: pa.Schema, column: str) -> pl.DataFrame:
    """How many rows each minute has."""
    rows = by_ids.rows([group.here(one) for one in group.files], schema)
    counted = rows.group_by(pl.col(column).dt.truncate("1m").alias("minute")).agg(rows=pl.len())
    return counted.sort("minute").collect(engine="streaming")


def _sorted(group: Group, run: Run, schema: pa.Schema, table: TableDef, most: int) -> Iterator[pl.DataFrame]:
    """The rows of a run, by day and in the table's order."""
    files = [group.here(one) for one in group.files if moment(one.first) < run.end and moment(one.last) >= run.first]
    time = pl.col(table.partition_column)
    order = [name for name in table.order if name in schema.names]
    within = (time >= run.first) & (time < run.end)
    parts = _pieces(files, schema, within, most) if run.dense else iter([by_ids.rows(files, schema).filter(within)])
    for part in parts:
        yield part.sort(time.dt.truncate("1d"), *order, maintain_order=True).collect()


def _pieces(files: list[str], schema: pa.Schema, within: pl.Expr, most: int) -> Iterator[pl.LazyFrame]:
    """Rows of one minute that are too many at once, as the files have them: what was read together stays together."""
    held: list[pl.LazyFrame] = []
    size = 0
    for file in files:
        rows = by_ids.rows([file], schema).filter(within)
        height = rows.select(pl.len()).collect().item()
        for start in range(0, height, most):
            length = min(most, height - start)
            if held and size + length > most:
                yield pl.concat(held)
                held, size = [], 0
            held.append(rows.slice(start, length))
            size += length
    if held:
        yield pl.concat(held)


def types(schema: pa.Schema) -> pl.Schema:
    """The Polars types of an Arrow schema."""
    return pl.DataFrame(schema.empty_table()).schema
