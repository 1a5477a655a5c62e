"""Reads data files of this machine by a table's field ids: a file may call a column otherwise, or another one so."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ID = b"PARQUET:field_id"
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Footer:
    """What a data file says of itself.

    Attributes:
        names: What it calls its columns, by field id.
        notes: Keys and values beside its rows.
    """

    names: Mapping[int, str]
    notes: Mapping[str, str]


def footer(path: str) -> Footer:
    """A file's footer, which is read once as long as the file stays as it is.

    Raises:
        OSError: It cannot be read.
        pyarrow.ArrowException: It is no Parquet file.
    """
    now = os.stat(path)  # noqa: PTH116 - a path of this machine, thousands of times
    return _footer(path, now.st_size, now.st_mtime_ns)


@lru_cache(_REMEMBERED)
def _footer(path: str, _size: int, _changed: int) -> Footer:
    found = pq.read_metadata(path)
    notes = {name.decode(): value.decode() for name, value in (found.metadata or {}).items() if name != b"ARROW:schema"}
    return Footer(called(found.schema.to_arrow_schema()), notes)


def rows(files: Sequence[str], schema: pa.Schema) -> pl.LazyFrame:
    """The rows of some files, in their order.

    Args:
        files: Paths of this machine.
        schema: Columns with field ids; one that a file does not have is null.
    """
    types = pl.DataFrame(schema.empty_table()).schema
    if not files:
        return pl.LazyFrame(schema=types)
    wanted = called(schema)
    parts = []
    for names, alike in groupby(files, lambda file: tuple(sorted(footer(file).names.items()))):
        if set(names) <= set(wanted.items()):
            parts.append(pl.scan_parquet(list(alike), schema=types, missing_columns="insert"))
        else:
            parts.append(_renamed(pl.scan_parquet(list(alike)), dict(names), wanted, types))
    return parts[0] if len(parts) == 1 else pl.concat(parts)


def _renamed(rows: pl.LazyFrame, names: Mapping[int, str], wanted: Mapping[int, str], types: pl.Schema) -> pl.LazyFrame:
    return rows.select(
        pl.col(names[number]).alias(name) if number in names else pl.lit(None, types[name]).alias(name)
        for number, name in wanted.items()
    )


def called(schema: pa.Schema) -> dict[int, str]:
    """The columns' names by their field ids."""
    return {int(field.metadata[_ID]): field.name for field in schema if field.metadata and _ID in field.metadata}
