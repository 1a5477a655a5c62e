"""Rows of a group of files in their order, a run at a time, so that memory is bounded by a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from polars.io.plugins import register_io_source

from logshed.lake import by_ids
from logshed.lake.compact_plan import moment

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from logshed.lake.compact_plan import Group, Run, Sizes
    from logshed.lake.names import TableDef


class Rows:
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


def minutes(group: Group, schema: pa.Schema, column: str) -> pl.DataFrame:
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
