"""Shows a lake's tables to the SQL engines, each as it is at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.errors import QueryError
from logshed.lake.names import TABLES
from logshed.sql.tables import TableColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyiceberg.table import Table

    from logshed.lake.store import Store


class LakeTables:
    """The tables of one statement; PyIceberg is imported when the first is looked at.

    Args:
        opened: Opens the lake.
    """

    def __init__(self, opened: Callable[[], Store]) -> None:
        self._opened = opened
        self._loaded: dict[str, Table] = {}

    def names(self) -> list[str]:
        """The tables' short names."""
        return list(TABLES)

    def columns(self, table: str) -> list[TableColumn]:
        """The columns of a table, in order."""
        from logshed.lake.scan import column_ids  # noqa: PLC0415 - PyIceberg, only where a table is asked

        return [TableColumn(*found) for found in column_ids(self._table(table), table)]

    def files(self, table: str, where: str | None) -> list[str]:
        """The data files of the snapshot that may hold rows that pass ``where``.

        Raises:
            QueryError: The row filter is none.
        """
        from logshed.lake.scan import iceberg_files, paths  # noqa: PLC0415 - PyIceberg, only where a table is asked

        try:
            return paths(iceberg_files(self._table(table), where))
        except ValueError as error:
            raise QueryError(f"cannot prune files of {table} by {where}: {error}; report this statement") from error

    def _table(self, short: str) -> Table:
        if short not in self._loaded:
            self._loaded[short] = self._opened().table(TABLES[short])
        return self._loaded[short]
