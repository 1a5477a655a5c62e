"""Shows tables to a connection that can open no file: each scan of one is a stream that another process makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import dataset

from logshed.sql.data_files import shut
from logshed.sql.views import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

    from logshed.schema import Kind
    from logshed.sql.tables import TableColumn
    from logshed.sql.views import View

    Scan = Callable[[str, Sequence[str], str | None], pa.RecordBatchReader]

TYPES: dict[Kind, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamptz": pa.timestamp("us", "UTC"),
    "map": pa.map_(pa.string(), pa.string()),
}
"""Columns as DuckDB gives them in a connection whose zone is UTC."""


class Streams:
    """Tables whose rows come as streams.

    Args:
        scan: Gives the rows of a table: its name, the columns that are wanted, and a row filter that those which are
            needed pass.
    """

    limited = False
    told = None

    def __init__(self, scan: Scan) -> None:
        self.count = 0
        self._scan = scan

    def show(
        self, connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[TableColumn], where: str | None
    ) -> Callable[[View], str]:
        """What a view over the table is made of: an object that is asked for rows at each scan."""
        name = f"rows_of_{table}"
        schema = pa.schema([(column.name, TYPES[column.kind]) for column in columns])
        connection.register(name, _Rows(schema, lambda names: self._scan(table, names, where)))
        names = {column.name: quoted(column.name) for column in columns}
        return lambda view: view.select(names, name)

    def lock(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Leave the connection its streams, and nothing else."""
        shut(connection)


class _Rows(dataset.Dataset):  # type: ignore[misc]  # PyArrow has no types
    """A table as DuckDB asks a data set: it says which columns it wants, and what it wants of them.

    All that DuckDB calls is here; what PyArrow's class has besides is of no use, as nothing of it is set up.
    """

    def __init__(self, schema: pa.Schema, rows: Callable[[Sequence[str]], pa.RecordBatchReader]) -> None:
        self._schema_told, self._rows = schema, rows

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""
        return self._schema_told

    def scanner(self, columns: Sequence[str] | None = None, filter: Any = None, **_: Any) -> _Scanner:  # noqa: A002
        """One scan of it."""
        names = self.schema.names
        wanted = names if columns is None else list(columns)
        if filter is None:
            return _Scanner(lambda: self._rows(wanted))
        words = set(re.findall(r"\w+", str(filter)))  # at least the columns of the filter
        more = [name for name in names if name in words and name not in wanted]
        rows = lambda: dataset.Scanner.from_batches(  # noqa: E731 - as above
            self._rows([*wanted, *more]), columns=wanted, filter=filter
        ).to_reader()
        return _Scanner(rows)


class _Scanner:
    def __init__(self, rows: Callable[[], pa.RecordBatchReader]) -> None:
        self._rows = rows

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows."""
        return self._rows()
