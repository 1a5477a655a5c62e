"""Turns files of any known format into rows of ``logs``, in a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import UsageError
from logshed.schema import SILVER, polars_schema
from logshed.sql.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from logshed.pipeline.passing import Pass

LEFT_OUT = frozenset({"batch"})
"""Columns that say nothing of a file that is in no lake."""

COLUMNS = tuple(column.name for column in SILVER if column.name not in LEFT_OUT)


def convert(passing: Pass, paths: Sequence[str], columns: Sequence[str] = ()) -> Result:
    """The rows of ``logs`` that these files come to; they are read while the result is.

    Args:
        passing: Reads the files; afterwards its ``problems`` tell what could not be read.
        paths: Files, folders, globs, or ``-``.
        columns: The columns, in order; none are all.

    Raises:
        UsageError: There is no such column.
    """
    schema = polars_schema(SILVER)
    empty = pl.DataFrame(schema={name: schema[name] for name in chosen_columns(columns)})
    return Result(empty.to_arrow().schema, _batches(passing, paths, empty.columns))


def chosen_columns(columns: Sequence[str]) -> Sequence[str]:
    """The columns that are asked for; none are all.

    Raises:
        UsageError: There is no such column.
    """
    for name in columns:
        if name not in COLUMNS:
            raise UsageError(f"cannot convert to column {name}: there is none; see docs/reference/columns.md")
    return columns or COLUMNS


def _batches(passing: Pass, paths: Sequence[str], columns: list[str]) -> Iterator[pa.RecordBatch]:
    for refined in passing.all(paths):
        yield from refined.logs.select(columns).to_arrow().combine_chunks().to_batches()
