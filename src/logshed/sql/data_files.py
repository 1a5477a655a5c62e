"""Shows a lake's data files to the connection that runs a statement, behind the tables' views."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from logshed.sql.views import DUCKDB_TYPES, literal, named, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

    from logshed.sql.sight import Sight
    from logshed.sql.tables import TableColumn, Tables
    from logshed.sql.views import View


class Files:
    """Data files that the connection reads itself.

    Args:
        tables: The tables that they belong to.
        sight: What may be seen of them; None is all.

    Attributes:
        count: How many of them the statement may read.
        limited: Whether rows lie in them that may not be seen, so that an error's text must not show a value.
    """

    def __init__(self, tables: Tables, sight: Sight | None) -> None:
        self.count = 0
        self.limited = sight is not None
        self._tables = tables
        self._condition = None if sight is None else sight.condition()
        self._paths: list[str] = []
        self._reader: Any | None = None

    @property
    def told(self) -> str | None:
        """What the storage says is wrong."""
        return self._reader.told if self._reader is not None else None

    def show(
        self, connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[TableColumn], where: str | None
    ) -> Callable[[View], str]:
        """What a view over the table is made of, once the files that may hold rows which pass ``where`` can be read."""
        local = [file.removeprefix("file://") for file in self._tables.files(table, where)]
        if local and "://" in local[0] and self._reader is None:
            self._reader = self._tables.filesystem()  # which of its addresses may be opened, ``allowed_paths`` says
            connection.register_filesystem(self._reader)
        self._paths += local
        return partial(_shown, columns, local, self._condition)

    def lock(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let the connection read these files from now on, and nothing else."""
        self.count = len(self._paths)
        if self._paths:
            connection.execute(f"SET allowed_paths = [{', '.join(map(literal, self._paths))}]")
        shut(connection)


def shut(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection reach nothing that it was not given, and change no setting."""
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def nothing(columns: Sequence[TableColumn]) -> Callable[[View], str]:
    """What a view over a table is made of that is named and not read."""
    return partial(_shown, columns, (), None)


def _shown(columns: Sequence[TableColumn], files: Sequence[str], condition: str | None, view: View) -> str:
    source = parquet(files, columns) if files else empty(columns)
    return view.select(named(columns), source if condition is None else f"{source} WHERE {condition}")


def parquet(files: Sequence[str], columns: Sequence[TableColumn]) -> str:
    """Data files by their field ids, so that a renamed or added column is read rightly from an old file."""
    fields = ", ".join(
        f"{column.field_id}: {{name: {literal(column.name)}, type: '{DUCKDB_TYPES[column.kind]}', default_value: NULL}}"
        for column in columns
    )
    return f"read_parquet([{', '.join(map(literal, files))}], schema = MAP {{{fields}}}, hive_partitioning = false)"


def empty(columns: Sequence[TableColumn]) -> str:
    """A table without rows."""
    typed = ", ".join(f"CAST(NULL AS {DUCKDB_TYPES[column.kind]}) AS {quoted(column.name)}" for column in columns)
    return f"(SELECT {typed} WHERE false)"
