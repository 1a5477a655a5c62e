"""Writes the Parquet files of a table, with the field ids that the table has given its columns."""

from __future__ import annotations

import errno
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
from pyiceberg.types import MapType

from logshed.errors import LakeError, StorageError
from logshed.lake import parquet, storage
from logshed.lake.names import LINES
from logshed.lake.promoted import Promoted, promoted
from logshed.lake.steps import step
from logshed.schema import UNMAPPED, polars_type
from logshed.work import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.table import Table
    from pyiceberg.types import NestedField

    from logshed.lake.names import TableDef

ROW_GROUP_ROWS = 122_880
_CHUNK = 2**20

_ARROW = {
    "string": pa.large_string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamptz": pa.timestamp("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class FileWriter:
    """What a worker needs to write files of one table; picklable, and without PyIceberg.

    Attributes:
        table: The table's name.
        folder: Its data folder.
        schema: Arrow schema with the table's field ids.
        partition_column: The column whose day or month partitions it.
        partition_by: ``day`` or ``month``.
        notes: Keys and values that each file carries in its metadata.
        promoted: Attributes that are columns, which are made of them here.
    """

    table: str
    folder: str
    schema: pa.Schema
    partition_column: str
    partition_by: str
    notes: tuple[tuple[str, str], ...] = ()
    promoted: tuple[Promoted, ...] = ()

    @classmethod
    def of(cls, definition: TableDef, table: Table) -> FileWriter:
        """The writer of a loaded table."""
        own = promoted(table)
        kinds = {column.name: column.kind for column in definition.columns} | {one.column: one.kind for one in own}
        missing = kinds.keys() - {field.name for field in table.schema().fields}
        if missing:
            raise LakeError(
                f"cannot write {definition.name}: the lake has no column {min(missing)} yet; run the same command again"
            )
        fields = [_field(field, kinds[field.name]) for field in table.schema().fields if field.name in kinds]
        folder = storage.local(table.location()) + "/data"
        partition = definition.partition_column, definition.partition_by
        return cls(definition.name, folder, pa.schema(fields), *partition, promoted=own)

    def write(self, frame: pl.DataFrame, stem: str, level: int = 1) -> list[DataFile]:
        """Write a frame into one file a partition.

        Args:
            frame: Rows with the table's columns, in any order of columns; sorted as they shall rest. A column of nulls
                may be left out.
            stem: The files' name, without ending; unique in the table.
            level: zstd level.

        Raises:
            StorageError: The storage cannot be reached, or refuses.
        LakeError: The disk is full or refuses.
        """
        written = []
        if self.promoted and UNMAPPED in frame.columns:
            frame = frame.with_columns(one.expr for one in self.promoted)
        step(f"before {self.table.partition('.')[0]} file")
        for partition, part in self._partitions(frame):
            path = f"{self.folder}/{partition}/{stem}.parquet"
            held = self._write_file(part, path, level)
            checksum = digest(path, held) if self.table == LINES.name else ""
            written.append(DataFile(self.table, path, part.height, checksum))
        step(f"after {self.table.partition('.')[0]} file")
        return written

    def _partitions(self, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
        if frame.is_empty():
            return
        every, text = ("1d", "%Y-%m-%d") if self.partition_by == "day" else ("1mo", "%Y-%m")
        times = frame[self.partition_column]
        bounds = pl.Series([times.min(), times.max()], dtype=times.dtype).dt.truncate(every)
        keys = bounds if bounds[0] == bounds[1] else times.dt.truncate(every)
        for key in keys.unique().sort():
            part = frame if keys is bounds else frame.filter(keys == key)
            yield f"{self.partition_column}_{self.partition_by}={key:{text}}", part

    def _write_file(self, frame: pl.DataFrame, path: str, level: int) -> bytes | None:
        # Iceberg reads a column that a file leaves out as null; most formats fill a third of them.
        filled = {name for name in frame.columns if frame[name].null_count() < frame.height}
        fields = [field for field in self.schema if field.name in filled or not field.nullable]
        try:
            storage.make_folder(path.rpartition("/")[0])
            return parquet.write(
                frame.select(field.name for field in fields),
                path,
                compression="zstd",
                compression_level=level,
                row_group_size=ROW_GROUP_ROWS,
                arrow_schema=pa.schema(fields),
                metadata=dict(self.notes),
            )
        except (OSError, pl.exceptions.ComputeError) as error:
            storage.remove(path)
            raise LakeError(f"cannot write {path}: {cause_of(error)}; run the same command again") from error


def digest(path: str, held: bytes | None = None) -> str:
    """SHA-256 of a data file's bytes, 64 hex digits; they are read unless they are at hand.

    Raises:
        OSError: It cannot be read.
    """
    if held is not None:
        return hashlib.sha256(held).hexdigest()
    found = hashlib.sha256()
    with storage.opened(path) as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def whole_schema(table: Table) -> pa.Schema:
    """Arrow schema with the table's field ids, of all columns, also of those that a user has added.

    Raises:
        LakeError: A column is of a type that Logshed does not write.
    """
    fields = []
    for field in table.schema().fields:
        kind = str(field.field_type)
        if kind not in _ARROW and kind != "map<string, string>":
            raise LakeError(
                f"cannot rewrite files of {'.'.join(table.name())}: its column {field.name} is {kind}; "
                "leave this table to the program that added it"
            )
        fields.append(_field(field, kind))
    return pa.schema(fields)


def table_schema(definition: TableDef) -> dict[str, pl.DataType]:
    """Column names and Polars types of a table."""
    return {column.name: polars_type(column.kind) for column in definition.columns}


def _field(field: NestedField, kind: str) -> pa.Field:
    map_type = field.field_type
    if isinstance(map_type, MapType):
        key = pa.field("key", pa.large_string(), nullable=False, metadata=_id(map_type.key_id))
        value = pa.field("value", pa.large_string(), nullable=True, metadata=_id(map_type.value_id))
        return pa.field(field.name, pa.map_(key, value), nullable=True, metadata=_id(field.field_id))
    return pa.field(field.name, _ARROW[kind], nullable=not field.required, metadata=_id(field.field_id))


def _id(number: int) -> dict[bytes, bytes]:
    return {b"PARQUET:field_id": str(number).encode()}


@contextmanager
def room_told(what: str) -> Iterator[None]:
    """Turn into a sentence what a disk refuses; that a file is missing stays as it is.

    Raises:
        LakeError: The disk is full, or refuses; what was to be written is not there, and no commit was done.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except ValueError as error:  # PyIceberg's writer of manifests hides by it why the ones before could not be read
        if isinstance(error.__context__, StorageError | FileNotFoundError):
            raise error.__context__ from error
        raise
    except (OSError, pl.exceptions.ComputeError) as error:
        raise LakeError(f"cannot write {what}: {cause_of(error)}; run the same command again") from error


def cause_of(error: BaseException) -> str:
    """Why a file cannot be written, for a sentence."""
    if (isinstance(error, OSError) and (error.errno == errno.ENOSPC)) or "No space left" in str(error):
        return "the disk is full, nothing was committed; free some space"
    if "transport error" in str(error):  # Polars, where a disk has no room for the end of a file
        return "the disk is full or refuses, nothing was committed; free some space"
    return str(error).splitlines()[0]
