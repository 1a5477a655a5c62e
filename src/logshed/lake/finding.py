"""Finds rows of a table in the files that may hold some: by their bounds first, then by the columns that tell."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import polars as pl
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions import AlwaysFalse, AlwaysTrue, BooleanExpression, EqualTo, Or
from pyiceberg.types import StringType

from logshed.errors import LakeError
from logshed.lake import parquet
from logshed.lake.compact_rows import types
from logshed.lake.scan import paths
from logshed.lake.writing import cause_of, whole_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

    Tell = Callable[[Table, IcebergFile], bool]
    """Whether a file may hold rows that are wanted."""


def columns_of(table: Table) -> list[tuple[str, str]]:
    """Names and kinds of a table's columns, also of those that a user has added."""
    return [(field.name, str(field.field_type)) for field in table.schema().fields]


def scanned(files: Sequence[str], schema: pa.Schema) -> pl.LazyFrame:
    """The rows of data files, with these columns; one that a file leaves out is null."""
    return parquet.scan(files, types(schema), insert=True, extra=True)


def collected(rows: pl.LazyFrame, path: str) -> pl.DataFrame:
    """The rows of one file.

    Raises:
        LakeError: It is gone, or damaged.
    """
    try:
        return rows.collect(engine="streaming")
    except (OSError, pl.exceptions.ComputeError) as error:
        cause = "it is not there" if isinstance(error, FileNotFoundError) else cause_of(error)
        raise LakeError(
            f"cannot read {path}: {cause}; run the same command again, and if it says so again `logshed verify`"
        ) from error


def found(
    table: Table,
    hit: pl.Expr,
    shown: Sequence[pl.Expr],
    tell: Tell | None = None,
    among: tuple[str, Sequence[str]] | None = None,
) -> pl.DataFrame:
    """Rows of a table as it is now.

    Args:
        table: The table.
        hit: Which rows.
        shown: What of them.
        tell: Tells files that may hold some by their bounds.
        among: A column of text, and the values that it has in all of these rows.
    """
    schema = whole_schema(table)
    files = table.scan(row_filter=_either(*among) if among is not None else AlwaysTrue()).plan_files()
    parts = [
        collected(scanned(paths([task.file]), schema).filter(hit).select(*shown), task.file.file_path)
        for task in files
        if tell is None or tell(table, task.file)
    ]
    empty = pl.DataFrame(schema=types(schema)).select(*shown)
    return pl.concat([empty, *parts])


def _either(column: str, values: Sequence[str]) -> BooleanExpression:
    every: BooleanExpression = AlwaysFalse()
    for value in values:
        every = Or(every, EqualTo(column, value))  # type: ignore[arg-type, call-arg] # PyIceberg takes a name and a value
    return every


def range_of(rows: pl.DataFrame) -> Tell:
    """Tells files whose bounds have one of these rows' batches between them."""
    batches = rows["batch"].unique().sort().to_list()

    def tell(table: Table, file: IcebergFile) -> bool:
        field = table.schema().find_field("batch").field_id
        low, high = ((bounds or {}).get(field) for bounds in (file.lower_bounds, file.upper_bounds))
        if low is None or high is None:
            return True
        at = bisect_left(batches, str(from_bytes(StringType(), low)))
        return at < len(batches) and batches[at] <= str(from_bytes(StringType(), high))

    return tell
