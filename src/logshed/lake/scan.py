"""Reads the tables: which files hold what, for SQL and for the followers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.expressions.parser import parse as parse_filter
from pyiceberg.types import StringType, TimestamptzType

from logshed.lake import parquet, storage
from logshed.lake.batch import Batches
from logshed.lake.names import LINES, TABLES
from logshed.lake.promoted import promoted
from logshed.lake.writing import table_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store
    from logshed.schema import Kind


_DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: dict[str, Kind] = {
    "string": "string",
    "int": "int",
    "long": "long",
    "double": "double",
    "boolean": "boolean",
    "timestamptz": "timestamptz",
}


def iceberg_files(table: Table, where: str | None = None) -> list[IcebergFile]:
    """The data files of the current snapshot that may hold rows matching ``where`` (a PyIceberg row filter)."""
    row_filter: BooleanExpression = AlwaysTrue() if where is None else parse_filter(where)
    return [task.file for task in table.scan(row_filter=row_filter).plan_files()]


def paths(files: Iterable[IcebergFile]) -> list[str]:
    """Where data files lie, sorted: paths of this machine, or addresses."""
    return sorted(storage.local(file.file_path) for file in files)


def column_ids_to_be(definition: TableDef) -> list[tuple[int, str, Kind, int | None, int | None]]:
    """What ``column_ids`` will say of a table that is not made yet."""
    maps = iter(range(len(definition.columns) + 1, 2 * len(definition.columns), 2))
    found: list[tuple[int, str, Kind, int | None, int | None]] = []
    for number, column in enumerate(definition.columns, start=1):
        key = next(maps) if column.kind == "map" else None
        found.append((number, column.name, column.kind, key, None if key is None else key + 1))
    return found


def column_ids(table: Table, short: str) -> list[tuple[int, str, Kind, int | None, int | None]]:
    """Field id, name, kind, and key and value ids (of a map) of every column, in the table's order."""
    definition = TABLES.get(short)
    if definition is None:  # a gold table is what its catalog says
        return [
            (field.field_id, field.name, _KINDS[str(field.field_type)], None, None) for field in table.schema().fields
        ]
    kinds = {column.name: column.kind for column in definition.columns}
    kinds |= {one.column: one.kind for one in promoted(table)}
    found = []
    for field in table.schema().fields:
        kind = kinds.pop(field.name, None)
        if kind is None:
            continue  # a column of a user's own
        key = getattr(field.field_type, "key_id", None)
        value = getattr(field.field_type, "value_id", None)
        found.append((field.field_id, field.name, kind, key, value))
    return found + _to_come(kinds, table.metadata.last_column_id)


def _to_come(kinds: Mapping[str, Kind], last: int) -> list[tuple[int, str, Kind, int | None, int | None]]:
    """Columns that an older lake lacks until it is next written to: ids that no file has, so that all are null."""
    ids = iter(range(last + 1, last + 1 + 3 * len(kinds)))
    return [
        (next(ids), name, kind, *((next(ids), next(ids)) if kind == "map" else (None, None)))
        for name, kind in kinds.items()
    ]


def attributes_promoted(table: Table) -> dict[str, str]:
    """The attributes that are columns, by the column."""
    return {one.column: one.key for one in promoted(table)}


def frame(files: Sequence[str], short: str) -> pl.LazyFrame:
    """The rows of these files of a table."""
    return parquet.scan(files, table_schema(TABLES[short]), insert=True, extra=True)


def batches_missing(store: Store, follower: str | TableDef, leader: TableDef = LINES) -> dict[str, list[str]]:
    """Batches in a table that a following one has not taken, each with the files that hold it."""
    done = Batches.of(store.table(TABLES[follower] if isinstance(follower, str) else follower))
    return batches_behind(store, done, leader)


def batches_behind(store: Store, done: Batches, leader: TableDef) -> dict[str, list[str]]:
    """Batches in a table that are not done, each with the files that hold it."""
    lines = store.table(leader)
    if lines.current_snapshot() is None:
        return {}
    batch_id = lines.schema().find_field("batch").field_id
    missing: dict[str, list[str]] = {}
    where = f"batch > '{done.watermark}'" if done.watermark else None
    for file in iceberg_files(lines, where):
        for batch in _batches_in(file, batch_id):
            if batch not in done:
                missing.setdefault(batch, []).extend(paths([file]))
    return dict(sorted(missing.items()))


def day_of(table: Table, file: IcebergFile, column: str) -> date | None:
    """The day (UTC) that all rows of a file lie in by a column of time; None where there are several."""
    field = table.schema().find_field(column).field_id
    found = [(bounds or {}).get(field) for bounds in (file.lower_bounds, file.upper_bounds)]
    days = {int(from_bytes(TimestamptzType(), bound)) // _DAY_US for bound in found if bound is not None}
    return (_EPOCH + timedelta(days=days.pop())).date() if None not in found and len(days) == 1 else None


def bounds(table: Table, file: IcebergFile, column: str) -> list[Any]:
    """The least and the greatest value of a column in a file, as far as its metadata says them."""
    field = table.schema().find_field(column)
    found = [(one or {}).get(field.field_id) for one in (file.lower_bounds, file.upper_bounds)]
    return [from_bytes(field.field_type, bound) for bound in found if bound is not None]  # type: ignore[arg-type]


def _batches_in(file: IcebergFile, batch_id: int) -> list[str]:
    """The batches of a file: one by its bounds, several by reading that column."""
    lower, upper = (file.lower_bounds or {}).get(batch_id), (file.upper_bounds or {}).get(batch_id)
    if lower is not None and lower == upper:
        return [str(from_bytes(StringType(), lower))]
    column = parquet.scan(paths([file]), {"batch": pl.String}, extra=True).unique().collect()
    return column["batch"].sort().to_list()
