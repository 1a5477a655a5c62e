"""Compaction: small files of a table become large ones, each group of them in one commit that other writers survive."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import CommitFailedException, ValidationException
from sqlalchemy.exc import OperationalError

from logshed.errors import CommitConflictError, LakeError
from logshed.lake.commit import ATTEMPTS, back_off, remove_files, swap, trim_snapshots
from logshed.lake.compact_plan import STEM, Sizes, moment, runs
from logshed.lake.scan import iceberg_files
from logshed.lake.steps import step
from logshed.lake.writing import ROW_GROUP_ROWS, cause_of, whole_schema
from logshed.work import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def compact(store: Store, table: TableDef, group: Group, sizes: Sizes) -> Compacted:
    """Write a group's rows into large files and put them in its place.

    Rows lie by day, and in each run of rows by the table's order. Memory is bounded by the rows of a run.

    Raises:
        LakeError: A file cannot be read or written; nothing was changed.
        CommitConflictError: Other writers were quicker each time.
    """
    loaded = store.table(table)
    new: list[DataFile] = []
    try:
        for file in _written(loaded, table, group, sizes):
            new.append(file)
            step("after compact file")
        _assert_whole(table, group, new)
        size = sum(Path(file.path).stat().st_size for file in new)
        if _committed(store, table, group, new):
            return Compacted(len(new), size)
    except BaseException:
        _remove_unless_taken(store, table, new)
        raise
    remove_files(new)
    return Compacted(0, 0)


def _remove_unless_taken(store: Store, table: TableDef, new: list[DataFile]) -> None:
    """Give the room back. An interrupt may come after the commit: then the table has them."""
    taken = {file.file_path.removeprefix("file://") for file in iceberg_files(store.table(table))}
    remove_files(file for file in new if file.path not in taken)


def _committed(store: Store, table: TableDef, group: Group, new: list[DataFile]) -> bool:
    """Swap the files; where other writers were quicker, look again whether the old ones are all there still."""
    old = [one.file for one in group.files]
    for attempt in range(ATTEMPTS):
        loaded = store.table(table)
        try:
            step("before compact commit")
            swap(loaded, old, new, {}, {"logshed.verb": "compact"})
        except ValidationException:
            return False
        except (CommitFailedException, OperationalError):
            back_off(attempt)
            continue
        step("after compact commit")
        trim_snapshots(loaded)
        return True
    raise CommitConflictError(
        f"cannot compact {table.short}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def _assert_whole(table: TableDef, group: Group, new: list[DataFile]) -> None:
    rows = sum(file.rows for file in new)
    if rows != group.rows:
        raise LakeError(
            f"cannot compact {table.short}: {group.rows:,} rows were to be written and {rows:,} were; "
            "nothing was changed; run `logshed audit`, and report this"
        )


def _written(loaded: Table, table: TableDef, group: Group, sizes: Sizes) -> Iterator[DataFile]:
    schema = whole_schema(loaded)
    columns, notes = _contents(group)
    fields = [field for field in schema if field.name in columns or not field.nullable]
    output = _Output(group.folder, table.name, pa.schema(fields), notes)
    try:
        pack = 0
        for run in runs(_minutes(group, schema, table.partition_column), group, sizes):
            if run.pack != pack or output.size >= sizes.target:
                yield from output.closed()
            pack = run.pack
            for rows in _sorted(group, run, schema, table):
                output.write(rows)
        yield from output.closed()
    except (OSError, pl.exceptions.ComputeError, pa.ArrowException) as error:
        raise LakeError(f"cannot compact {table.short}: {cause_of(error)}; run the same command again") from error
    finally:
        output.abandon()


def _contents(group: Group) -> tuple[set[str], dict[str, str]]:
    """The columns that the files of a group have, and their notes; of several notes of a name a list."""
    columns: set[str] = set()
    notes: dict[str, set[str]] = {}
    for one in group.files:
        path = _path(one.file.file_path)
        try:
            schema = pq.read_schema(path)
        except (OSError, pa.ArrowException) as error:
            raise LakeError(
                f"cannot compact {path}: {cause_of(error)}; restore it from a backup, nothing was changed"
            ) from error
        columns |= set(schema.names)
        for name, value in (schema.metadata or {}).items():
            notes.setdefault(name.decode(), set()).add(value.decode())
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
    rows = _rows([one.file.file_path for one in group.files], schema)
    counted = rows.group_by(pl.col(column).dt.truncate("1m").alias("minute")).agg(rows=pl.len())
    return counted.sort("minute").collect(engine="streaming")


def _sorted(group: Group, run: Run, schema: pa.Schema, table: TableDef) -> Iterator[pl.DataFrame]:
    """The rows of a run, by day and in the table's order."""
    files = [one.file.file_path for one in group.files if moment(one.first) < run.end and moment(one.last) >= run.first]
    time = pl.col(table.partition_column)
    rows = _rows(files, schema).filter((time >= run.first) & (time < run.end))
    spread = pl.col("offset" if "offset" in schema.names else table.order[0])
    for part in range(run.parts):
        chosen = rows.filter(spread.hash() % run.parts == part) if run.parts > 1 else rows
        yield chosen.sort(time.dt.truncate("1d"), *table.order, maintain_order=True).collect()


def _rows(files: list[str], schema: pa.Schema) -> pl.LazyFrame:
    types = pl.DataFrame(schema.empty_table()).schema
    return pl.scan_parquet([_path(file) for file in files], schema=types, missing_columns="insert")


def _path(file: str) -> str:
    return file.removeprefix("file://")


class _Output:
    """Writes rows into one file after the other.

    Args:
        folder: Where they lie.
        table: Whose files they are.
        schema: Their columns with field ids.
        notes: What each carries in its metadata.
    """

    def __init__(self, folder: Path, table: str, schema: pa.Schema, notes: dict[str, str]) -> None:
        self._folder = folder
        self._table = table
        self._schema = schema
        self._names = schema.names
        self._notes = notes
        self._path = folder
        self._rows = 0
        self._file: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None

    @property
    def size(self) -> int:
        """Bytes of the file at hand so far."""
        return 0 if self._file is None else int(self._file.tell())

    def write(self, rows: pl.DataFrame) -> None:
        """Write rows; they end a row group."""
        if rows.is_empty():
            return
        if self._writer is None:
            self._path = self._folder / f"{STEM}{uuid4().hex}.parquet"
            self._file = pa.OSFile(str(self._path), "wb")
            self._writer = pq.ParquetWriter(
                self._file, self._schema, compression="zstd", compression_level=LEVEL, store_schema=False
            )
        found = rows.select(self._names).to_arrow(compat_level=pl.CompatLevel.oldest())
        arrays = [column.cast(field.type) for column, field in zip(found.columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=ROW_GROUP_ROWS)
        self._rows += rows.height

    def closed(self) -> Iterator[DataFile]:
        """The file at hand, if there is one; the next rows begin another."""
        if self._writer is None or self._file is None:
            return
        self._writer.add_key_value_metadata(self._notes)
        self._writer.close()
        self._file.close()
        self._writer = self._file = None
        rows, self._rows = self._rows, 0
        yield DataFile(self._table, str(self._path), rows)

    def abandon(self) -> None:
        """Let go of a file that did not become whole."""
        if self._file is None:
            return
        with suppress(OSError):  # what failed before is told
            self._file.close()
        self._path.unlink(missing_ok=True)
        self._writer = self._file = None
