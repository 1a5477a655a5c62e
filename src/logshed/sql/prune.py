"""Finds the data files that a statement can need, by asking DuckDB's optimizer for its filters on one-row stand-ins."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from logshed.sql.filters import both, either, row_filter
from logshed.sql.views import DUCKDB_TYPES, View, named, quoted, views

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb

    from logshed.sql.tables import TableColumn

RIGHT = "SET disabled_optimizers = 'statistics_propagation'"
"""Statistics of the stand-ins' one row must not decide anything."""

Shown = Callable[[str], Sequence[View]]
"""The views over a table that are to be there."""

EXPLAIN = "EXPLAIN (FORMAT JSON) "


def plan(connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    """The optimizer's plan of a statement.

    Raises:
        duckdb.Error: The statement is wrong.
    """
    rows = connection.execute(EXPLAIN + sql, dict(values) or None).fetchall()
    nodes: list[dict[str, Any]] = json.loads(rows[0][1])
    return nodes


class Stubs:
    """One-row tables in place of the lake's, behind the same views.

    Two looks are taken, and what either tells is used.

    First with columns whose names nobody can guess: what the plan says of such a name is said of that column, whatever
    names and texts the statement brings. So a filter above a scan can be trusted too.

    Then with plain tables for the views that show a whole table: DuckDB pushes ``CAST(timestamp AS DATE)`` into the
    scan of a table, but not through a view. A scan prints its own table's names; filters above it may print the
    statement's and are not looked at.

    Args:
        connection: Where they are made.
        columns: The tables, with their columns.
        shown: The views that each has.
        utc: Whether days and times that name no zone are UTC's.
        shared: Whether others plan in the same database, which is set up for it: all is temporary then.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        columns: Mapping[str, Sequence[TableColumn]],
        shown: Shown = views,
        *,
        utc: bool = True,
        shared: bool = False,
    ) -> None:
        self._shared = shared
        self._lake, self._main = ('"temp".main', '"temp".main') if shared else ("iceberg.lake", "iceberg.main")
        self._new = "CREATE TEMP" if shared else "CREATE"
        self._connection = connection
        self._utc = utc
        self._listed = columns
        self._views = shown
        self._secret = secrets.token_hex(4)
        self._stubs: dict[str, tuple[str, dict[str, TableColumn]]] = {}
        for number, table in enumerate(columns):
            self._hide(table, f"{self._lake}.t{number}_{self._secret}")

    def wanted(self, sql: str, values: Mapping[str, object]) -> dict[str, str | None]:
        """The tables that a statement reads, each with a row filter that all rows it needs pass, or None.

        Raises:
            duckdb.Error: The statement is wrong.
        """
        if not self._shared:
            self._connection.execute(RIGHT)
        hidden = self._look(sql, values)
        for table in self._listed:
            self._show(table)
        plain = self._look(sql, values)
        if not self._shared:
            self._connection.execute("RESET disabled_optimizers")
        return {table: both(hidden.get(table), plain.get(table)) for table in hidden.keys() | plain.keys()}

    def replace(self, table: str, source: Callable[[View], str]) -> None:
        """Put the real views of a table in the place of its stand-ins."""
        for view in self._views(table):
            if view.whole and view.newest is None:
                self._connection.execute(f"DROP TABLE {view.path}")
            self._connection.execute(f"CREATE OR REPLACE VIEW {view.path} AS {source(view)}")

    def _look(self, sql: str, values: Mapping[str, object]) -> dict[str, str | None]:
        found: dict[str, list[str | None]] = {}
        for scan, above in _scans(plan(self._connection, sql, values)):
            if (stub := str(scan.get("Table"))) in self._stubs:
                table, columns = self._stubs[stub]
                texts = [_joined(scan.get("Filters"))]
                if stub.endswith(self._secret):
                    texts.append(_joined(above.get("Expression")))
                found.setdefault(table, []).append(row_filter(texts, columns, utc=self._utc))
        return {table: either(filters) for table, filters in found.items()}

    def _hide(self, table: str, stub: str) -> None:
        listed = self._listed[table]
        names = {column.name: f"c{number}_{self._secret}" for number, column in enumerate(listed)}
        self._create(stub, [f"{names[column.name]} {DUCKDB_TYPES[column.kind]}" for column in listed])
        for view in self._views(table):
            self._connection.execute(f"{self._new} VIEW {view.path} AS {view.select(named(listed, names), stub)}")
        self._stubs[stub] = (table, {names[column.name]: column for column in listed if column.attribute is None})

    def _show(self, table: str) -> None:
        listed = self._listed[table]
        promoted = {column.name: quoted(f"{column.name}_{self._secret}") for column in listed if column.attribute}
        own = {column.name: promoted.get(column.name, quoted(column.name)) for column in listed}
        columns = [f"{own[column.name]} {DUCKDB_TYPES[column.kind]}" for column in listed]
        told = named(listed, own)
        columns += [f"{quoted(name)} AS ({told[name]})" for name in promoted]
        for view in self._views(table):
            if view.whole and view.newest is None:  # a file left out could hold the newest version of a row
                extra = view.expressions({column.name: quoted(column.name) for column in listed})
                self._connection.execute(f"DROP VIEW {view.path}")
                self._create(view.path, columns + [f"{quoted(name)} AS ({text})" for name, text in extra.items()])
                known = {column.name: column for column in listed if column.attribute is None}
                self._stubs[f"{self._main}.{view.path}"] = (table, known)

    def _create(self, path: str, columns: Sequence[str]) -> None:
        self._connection.execute(f"{self._new} TABLE {path} ({', '.join(columns)})")
        self._connection.execute(f"INSERT INTO {path} DEFAULT VALUES")


def _scans(nodes: Sequence[dict[str, Any]], above: dict[str, Any] | None = None) -> Iterator[tuple[Any, Any]]:
    """Every scan of a plan, with what is known of the filter right above it."""
    for node in nodes:
        info = node.get("extra_info") or {}
        if "Table" in info:
            yield info, above or {}
        direct = info if node.get("name") == "FILTER" else None
        yield from _scans(node.get("children") or (), direct)


def _joined(text: object) -> str:
    """DuckDB splits a node's text at its line feeds, those inside literals too: put it together again."""
    if isinstance(text, list):
        return "\n".join(map(str, text))
    return str(text or "")
