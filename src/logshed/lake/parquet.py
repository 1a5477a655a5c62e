"""Parquet files of a lake as Polars frames, wherever they lie."""

from __future__ import annotations

import io
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.lake import remote, storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow.parquet as pq

_AT_ONCE = 8
"""Files that are opened at a time: a storage takes long to answer, and answers many."""


def scan(files: Sequence[str], schema: Mapping[str, Any], *, insert: bool = False, extra: bool = False) -> pl.LazyFrame:
    """The rows of some files, in their order.

    Args:
        files: Paths or addresses.
        schema: Columns and types.
        insert: A column that a file leaves out is null; else that is a mistake.
        extra: A column that only a file has is left out; else that is a mistake.
    """
    if not files:
        return pl.LazyFrame(schema=dict(schema))
    if not any(map(storage.is_remote, files)):
        return pl.scan_parquet(
            [storage.local(file) for file in files],
            schema=dict(schema),
            missing_columns="insert" if insert else "raise",
            extra_columns="ignore" if extra else "raise",
        )
    from polars.io.plugins import register_io_source  # noqa: PLC0415 - only for what lies elsewhere

    return register_io_source(partial(_stream, tuple(files), dict(schema)), schema=pl.Schema(schema))


def write(frame: pl.DataFrame, path: str, **options: Any) -> bytes | None:
    """Write a frame to a file; elsewhere it is there whole or not at all.

    Returns:
        The bytes of a file elsewhere, which would have to be fetched again.

    Raises:
        OSError: The disk refuses.
        StorageError: The storage cannot be reached, or refuses.
    """
    if not storage.is_remote(path):
        frame.write_parquet(storage.local(path), **options)
        return None
    held = io.BytesIO()
    frame.write_parquet(held, **options)
    written = held.getvalue()
    storage.write(path, written)
    return written


def sink(rows: pl.LazyFrame, path: str, **options: Any) -> None:
    """Write rows to a file as a stream; elsewhere it is there whole or not at all.

    Raises:
        OSError: The disk refuses.
        StorageError: The storage cannot be reached, or refuses.
    """
    if not storage.is_remote(path):
        rows.sink_parquet(storage.local(path), **options)
        return
    with tempfile.TemporaryDirectory(prefix="logshed-") as folder:
        beside = Path(folder) / "whole.parquet"
        rows.sink_parquet(beside, **options)
        storage.put(beside, path)


def _stream(
    files: Sequence[str],
    schema: Mapping[str, Any],
    columns: list[str] | None,
    predicate: pl.Expr | None,
    most: int | None,
    _size: int | None,
) -> Iterator[pl.DataFrame]:
    """Row groups of only the columns that are asked for; the next files are opened meanwhile."""
    names = columns or list(schema)
    wanted = names if predicate is None else list(dict.fromkeys([*names, *predicate.meta.root_names()]))
    left = most
    with ThreadPoolExecutor(_AT_ONCE, "logshed-read") as pool:
        waiting = iter(files)
        ahead = [pool.submit(_first, file, wanted, schema) for file in islice(waiting, _AT_ONCE)]
        while ahead:
            for part in ahead.pop(0).result():
                rows = part if predicate is None else part.filter(predicate)
                rows = rows.select(names) if left is None else rows.select(names).head(left)
                left = None if left is None else left - rows.height
                yield rows
                if left == 0:
                    return
            ahead += [pool.submit(_first, file, wanted, schema) for file in islice(waiting, 1)]


def _first(file: str, names: Sequence[str], schema: Mapping[str, Any]) -> Iterator[pl.DataFrame]:
    """The row groups of a file; the first is read already."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - only for what lies elsewhere

    with remote.told(file):
        opened = pq.ParquetFile(remote.opened(file))
        if not opened.num_row_groups:
            return iter(())
        first = _group(opened, 0, names, schema)

    def every() -> Iterator[pl.DataFrame]:
        with opened:
            yield first
            for number in range(1, opened.num_row_groups):
                with remote.told(file):
                    part = _group(opened, number, names, schema)
                yield part

    return every()


def _group(opened: pq.ParquetFile, number: int, names: Sequence[str], schema: Mapping[str, Any]) -> pl.DataFrame:
    there = [name for name in names if name in opened.schema_arrow.names]
    height = opened.metadata.row_group(number).num_rows
    read = pl.DataFrame(pl.from_arrow(opened.read_row_group(number, columns=there))) if there else pl.DataFrame()
    nulls = [pl.lit(None, schema[name]).alias(name) for name in names if name not in there]
    base = read if there else pl.select(pl.repeat(None, height).alias("_"))
    return base.with_columns(nulls).select(pl.col(name).cast(schema[name]) for name in names)
