"""What a statement answers: rows that stream in Arrow batches, or whole as Polars, Arrow or tuples."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from logshed.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    import polars as pl

    from logshed.queries import Chart

BATCH_ROWS = 65_536
"""Rows that an engine puts into one batch, about."""

_WIDE = {pa.decimal128(38, 0), pa.uint64()}


class Result:
    """The rows of one statement.

    Rows are computed while they are read: ``batches()`` streams them once in bounded memory. ``arrow()``, ``pl()`` and
    ``rows()`` keep the whole table and may be called again and again. Whole numbers are 64 bits with a sign.

    Attributes:
        schema: The columns' names and Arrow types.
        files_read: Data files that the statement had to read, or None where the engine does not tell.
        rows_given: Rows that were given so far.
        title: What a notebook shows above the rows; empty where the statement has no name.
        chart: How a notebook draws the rows; None shows a table only.
    """

    def __init__(
        self,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        *,
        close: Callable[[], None] = lambda: None,
        progress: Callable[[], float | None] = lambda: None,
        files_read: int | None = None,
    ) -> None:
        self.schema = pa.schema([_narrowed(field) for field in schema])
        self.files_read = files_read
        self.rows_given = 0
        self.title = ""
        self.chart: Chart | None = None
        self._batches = iter(batches)
        self._close = close
        self._progress = progress
        self._table: pa.Table | None = None
        self._begun = False

    @property
    def columns(self) -> list[str]:
        """The columns' names."""
        return list(self.schema.names)

    @property
    def progress(self) -> float | None:
        """How much of the statement is done, 0 to 1; None where the engine does not tell."""
        return self._progress()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, once, as they come.

        Raises:
            logshed.errors.QueryError: The rows have been read already, or the statement failed on the way.
        """
        if self._table is not None:
            yield from self._table.to_batches()
            return
        if self._begun:
            raise QueryError("cannot read the rows again: they were streamed; run the statement again, or use arrow()")
        self._begun = True
        try:
            for batch in self._batches:
                self.rows_given += batch.num_rows
                yield _as_schema(batch, self.schema)
        finally:
            self.close()

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        if self._table is None:
            self._table = pa.Table.from_batches(self.batches(), self.schema)
        return self._table

    def pl(self) -> pl.DataFrame:
        """All rows as a Polars frame."""
        import polars as pl  # noqa: PLC0415 - most statements are streamed and need no Polars

        frame = pl.from_arrow(self.arrow(), rechunk=False)
        if isinstance(frame, pl.Series):  # a table always gives a frame
            return frame.to_frame()
        return frame

    def df(self) -> Any:
        """All rows as a pandas frame.

        Raises:
            logshed.errors.QueryError: pandas is not installed.
        """
        try:
            import_module("pandas")
        except ImportError as error:
            raise QueryError(
                "cannot give a pandas frame: pandas is not installed; pip install pandas, or take .pl()"
            ) from error
        return self.arrow().to_pandas()

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows as tuples; a map is a list of pairs."""
        values = [column.to_pylist() for column in self.arrow().columns]
        return list(zip(*values, strict=True))

    def close(self) -> None:
        """Stop the statement and free what it holds. Reading to the end does it too."""
        close, self._close = self._close, lambda: None
        self._progress = lambda: None
        close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self.arrow().num_rows)

    def __repr__(self) -> str:
        return repr(self.pl())

    def _repr_html_(self) -> str:
        from logshed.pages import notebook  # noqa: PLC0415 - only in notebooks

        return notebook.html(self.pl(), self.chart, self.title)


def of_frame(frame: pl.DataFrame) -> Result:
    """Rows that are there already as a result."""
    table = frame.to_arrow()
    return Result(table.schema, table.to_batches())


def _narrowed(field: pa.Field) -> pa.Field:
    """DuckDB sums to 128 bits and ClickHouse counts without a sign: one type for both."""
    return field.with_type(pa.int64()) if field.type in _WIDE else field


def _as_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if batch.schema.equals(schema):
        return batch
    try:
        arrays = [array.cast(field.type) for array, field in zip(batch.columns, schema, strict=True)]
    except pa.ArrowInvalid as error:
        raise QueryError(
            f"cannot show the result: a whole number needs more than 64 bits ({error}); cast it to VARCHAR or DOUBLE"
        ) from error
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
