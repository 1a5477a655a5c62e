"""Parquet files as text: a row is a line, a JSON object of its columns; the text itself where it is the only column."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    import duckdb
    import pyarrow as pa

    from logshed.sources.rawfile import RawFile

ROWS = 4_096
"""Rows that are turned into text at a time."""


class Rows:
    """The rows of a Parquet file as UTF-8 lines; what can be read is given out before a break."""

    def __init__(self, raw: RawFile) -> None:
        """Read rows of an open file from its first, wherever it was read up to."""
        self._raw = raw
        self._ready = b""
        self._problem = ""
        self._given = 0
        self._lines = self._all()

    @property
    def problem(self) -> str:
        """Why the stream ended before its end, or empty."""
        return self._problem or self._raw.problem

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end or where the rest cannot be read."""
        if not self._ready:
            self._ready = self._next()
        piece, self._ready = self._ready[:size], self._ready[size:]
        return piece

    def close(self) -> None:
        """Give back what is held open."""
        self._lines.close()
        self._raw.close()

    def _next(self) -> bytes:
        import duckdb  # noqa: PLC0415 - heavy, and text logs never need it
        import pyarrow as pa  # noqa: PLC0415 - as above

        try:
            return next(self._lines, b"")
        except (OSError, pa.ArrowException, duckdb.Error) as error:
            cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            self._problem = f"damaged Parquet data ({cause}) after {self._given:,} rows"
            return b""

    def _all(self) -> Generator[bytes]:
        import duckdb  # noqa: PLC0415 - heavy, and text logs never need it
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above

        self._raw.seek(0)
        file = pq.ParquetFile(self._raw.handle)
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for batch in file.iter_batches(batch_size=ROWS):
                if batch.num_rows:
                    self._given += batch.num_rows
                    self._raw.taken = self._raw.size() * self._given // file.metadata.num_rows
                    yield _lines(connection, batch)


def _lines(connection: duckdb.DuckDBPyConnection, batch: pa.RecordBatch) -> bytes:
    connection.register("batch", batch)
    table = connection.sql("SELECT * FROM batch")
    only_text = [str(kind) for kind in table.types] == ["VARCHAR"]
    row = "COLUMNS(*)" if only_text else "to_json(batch)::VARCHAR"
    lines = connection.sql(f"SELECT coalesce({row}, '') AS line FROM batch").arrow().read_all()["line"]
    connection.unregister("batch")
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode()
