"""Shows a lake's tables to the SQL engines, each as it is at one moment."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from logshed.errors import QueryError
from logshed.lake.names import TABLES
from logshed.sql.tables import Stored, TableColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyiceberg.table import Table

    from logshed.lake.pinned import Pinned
    from logshed.lake.store import Store


Asked = tuple[str, "str | None", str]
"""A table, a row filter, and the file that says the table's state: another state has another file."""
_A = TypeVar("_A", bound="tuple[str | None, ...]")
MOST_ANSWERS = 500
"""Answers of a kind that are kept for the next statement."""
MOST_PATHS = 200_000
"""Paths of data files that are kept in all for the next statement, about 30 MB."""


class Kept:
    """What was found out about tables as they were at some moment: it is true as long as they are the same."""

    def __init__(self) -> None:
        self._files: dict[Asked, list[str]] = {}
        self._columns: dict[tuple[str, str], list[TableColumn]] = {}
        self._turn = Lock()

    def __getstate__(self) -> tuple[dict[Asked, list[str]], dict[tuple[str, str], list[TableColumn]]]:
        """What goes along to a worker, which finds out the rest by itself."""
        with self._turn:
            return dict(self._files), dict(self._columns)

    def __setstate__(self, state: tuple[dict[Asked, list[str]], dict[tuple[str, str], list[TableColumn]]]) -> None:
        self._files, self._columns = state
        self._turn = Lock()

    def files(self, asked: Asked, find: Callable[[], list[str]]) -> list[str]:
        """The data files that were found for this before, else those that are found now."""
        found = self._files.get(asked)
        if found is None:
            found = find()
            with self._turn:
                _forget(self._files, asked)
                self._files[asked] = found
                while sum(map(len, self._files.values())) > MOST_PATHS or len(self._files) > MOST_ANSWERS:
                    del self._files[next(iter(self._files))]
        return list(found)

    def columns(self, asked: tuple[str, str], find: Callable[[], list[TableColumn]]) -> list[TableColumn]:
        """The columns that were found for this before, else those that are found now."""
        found = self._columns.get(asked)
        if found is None:
            found = find()
            with self._turn:
                _forget(self._columns, asked)
                self._columns[asked] = found
                while len(self._columns) > MOST_ANSWERS:
                    del self._columns[next(iter(self._columns))]
        return list(found)


def _forget(known: dict[_A, Any], asked: _A) -> None:
    """Let go of what a table was before: some get a batch every second, and each state knows all files anew."""
    for old in [one for one in known if one[0] == asked[0] and one[-1] != asked[-1]]:
        del known[old]


class LakeTables:
    """The tables of one statement; PyIceberg is imported when the first is looked at.

    Args:
        opened: Opens the lake.
        kept: What statements before this one have found out; None begins anew.
    """

    def __init__(self, opened: Callable[[], Store | Pinned], kept: Kept | None = None) -> None:
        self._opened = opened
        self._kept = kept or Kept()
        self._loaded: dict[str, Table | None] = {}
        self._gold: list[str] | None = None

    def names(self) -> list[str]:
        """The tables' short names: those that every lake has or may have, and its gold tables."""
        if self._gold is None:
            self._gold = self._opened().gold_tables()
        return [*TABLES, *self._gold]

    def closed(self) -> list[str]:
        """Those of them that only who sees all collections may see."""
        return [short for short, definition in TABLES.items() if definition.closed]

    def columns(self, table: str) -> list[TableColumn]:
        """The columns of a table, in order."""
        from logshed.lake import scan  # noqa: PLC0415 - PyIceberg, only where a table is asked

        loaded = self._table(table)
        if loaded is None:
            return [TableColumn(*one) for one in scan.column_ids_to_be(TABLES[table])]

        def found() -> list[TableColumn]:
            attributes = scan.attributes_promoted(loaded)
            return [TableColumn(*one, attribute=attributes.get(one[1])) for one in scan.column_ids(loaded, table)]

        return self._kept.columns((table, loaded.metadata_location), found)

    def stored(self, table: str) -> Stored | None:
        """A table as it lies; None where it is not made yet."""
        loaded = self._table(table)
        if loaded is None:
            return None
        return Stored(".".join(loaded.name()), loaded.location(), self.columns(table), loaded.metadata_location)

    def files(self, table: str, where: str | None) -> list[str]:
        """The data files of the snapshot that may hold rows that pass ``where``.

        Raises:
            QueryError: The row filter is none.
        """
        loaded = self._table(table)
        if loaded is None:
            return []
        asked = (table, where, loaded.metadata_location)
        return self._kept.files(asked, lambda: self._found(loaded, table, where))

    def _found(self, loaded: Table, table: str, where: str | None) -> list[str]:
        from logshed.lake.scan import iceberg_files, paths  # noqa: PLC0415 - PyIceberg, only where a table is asked

        try:
            return paths(iceberg_files(loaded, where))
        except ValueError as error:
            there = {field.name for field in loaded.schema().fields}
            if table in TABLES and any(column.name not in there for column in TABLES[table].columns):
                return paths(
                    iceberg_files(loaded)
                )  # an older lake, and a column that it gets when it is next written to
            raise QueryError(f"cannot prune files of {table} by {where}: {error}; report this statement") from error

    def renamed(self, table: str) -> bool:
        """Whether data files may call columns otherwise than the table does, or other columns as it calls one."""
        loaded = self._table(table)
        schemas = [] if loaded is None else loaded.metadata.schemas
        called = {(field.field_id, field.name) for schema in schemas for field in schema.fields}
        return not len(called) == len({number for number, _ in called}) == len({name for _, name in called})

    def filesystem(self) -> Any | None:
        """What opens the data files' addresses; None where they lie on this machine."""
        from logshed.lake.reader import Reader  # noqa: PLC0415 - as above

        store = self._opened()
        return Reader(store.warehouse) if store.backing.storage.remote else None

    def _table(self, short: str) -> Table | None:
        """The table; None where it is not made yet, since a question makes none."""
        if short not in self._loaded:
            store = self._opened()
            if short not in TABLES:
                self._loaded[short] = store.gold_table(short)
            else:
                self._loaded[short] = store.table(TABLES[short]) if store.has(TABLES[short]) else None
        return self._loaded[short]

    def snapshot(self, table: str) -> tuple[int, int] | None:
        """What a table is read as: the snapshot's id and its moment in milliseconds; None where it has no rows yet."""
        loaded = self._table(table)
        found = None if loaded is None else loaded.current_snapshot()
        return None if found is None else (found.snapshot_id, found.timestamp_ms)
