"""Databases that our own statements share: making one takes longer than most statements over a small lake.

What people write never runs here: settings and memory of a database are everybody's who shares it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from logshed.sql import prune
from logshed.sql.data_files import Files, nothing
from logshed.sql.databases import opened
from logshed.sql.session import Session
from logshed.sql.views import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import duckdb

    from logshed.sql.duckdb import Limits
    from logshed.sql.sight import Sight
    from logshed.sql.tables import TableColumn, Tables
    from logshed.sql.views import View

_ALONE = re.compile(
    r"\b(iceberg|analytics|explain|describe|desc|summarize|show|pivot|unpivot|query(_table)?|information_schema|now|today|"
    r"current_\w+|get_current_\w+|transaction_timestamp|ago|random|(duckdb|pg|pragma|sqlite)_\w+)\b",
    re.IGNORECASE,
)
"""What needs a database of its own: names of others, and a present that must be one for the plan and for the run."""


def suits(sql: str) -> bool:
    """Whether a statement can run in a database that others share."""
    return _ALONE.search(sql) is None


class Elsewhere(Exception):  # noqa: N818 - it asks for another way
    """A data file does not lie in the lake's folder."""


class SharedSession(Session):
    """One statement of ours, in connections of its own to databases that are there already.

    Args:
        tables: The lake's tables.
        sql: The statement.
        zone: The zone of days, hours and times that name none.
        sight: What may be seen; None is all.
        home: The folder in which all data files lie.

    Raises:
        Elsewhere: One does not.
    """

    def __init__(self, tables: Tables, sql: str, zone: str, sight: Sight | None, home: str) -> None:
        self._home = home
        self._planner = _cursor(_planner(), zone)
        super().__init__(tables, sql, zone, {}, _Within(tables, sight, home))

    def _connected(self, zone: str, limits: Limits) -> duckdb.DuckDBPyConnection:
        del limits  # they are the database's
        return connected(self._home, zone)

    def _planning(self) -> duckdb.DuckDBPyConnection:
        return self._planner

    def _stood_in(self, shown: prune.Shown) -> prune.Stubs:
        return prune.Stubs(self._planner, self._columns, shown, utc=self._utc, shared=True)

    def _every(self, table: str) -> Sequence[View]:
        return self._mentioned(table)

    def _show(self, stubs: prune.Stubs, wanted: Mapping[str, str | None]) -> None:
        del stubs  # they are in another database
        for table, listed in self._columns.items():
            source = nothing(listed)
            if table in wanted or self._named(table):
                source = self._place.show(self._connection, table, listed, wanted.get(table))
            for view in self._mentioned(table):
                self._connection.execute(f"CREATE TEMP VIEW {view.path} AS {source(view)}")

    def _lock(self) -> None:
        """The database reads the lake's folder alone, and stays as it is: the text is ours."""

    def close(self) -> None:
        """End the statement."""
        super().close()
        self._planner.close()


class _Within(Files):
    """Data files that all lie in one folder."""

    def __init__(self, tables: Tables, sight: Sight | None, home: str) -> None:
        super().__init__(tables, sight)
        self._home = home

    def show(
        self, connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[TableColumn], where: str | None
    ) -> Callable[[View], str]:
        """What a view over the table is made of.

        Raises:
            Elsewhere: A file does not lie there.
        """
        known = len(self._paths)
        shown = super().show(connection, table, columns, where)
        if not lie_in(self._home, self._paths[known:]):
            raise Elsewhere
        self.count = len(self._paths)
        return shown


def lie_in(home: str, files: Sequence[str]) -> bool:
    """Whether files all lie in a folder."""
    start = home.rstrip("/") + "/"
    return all(file.startswith(start) and "/../" not in file for file in files)


def connected(home: str, zone: str) -> duckdb.DuckDBPyConnection:
    """A connection that can read a folder's files and nothing else."""
    return _cursor(_runner(home), zone)


def _cursor(database: duckdb.DuckDBPyConnection, zone: str) -> duckdb.DuckDBPyConnection:
    """A connection to a database; these settings are each connection's own."""
    connection = database.cursor()
    connection.execute(
        f"SET TimeZone = {literal(zone)}; SET errors_as_json = true; SET python_enable_replacements = false"
    )
    return connection


@cache
def _planner() -> duckdb.DuckDBPyConnection:
    connection = opened("UTC", {"threads": 1})
    connection.execute(f"{prune.RIGHT}; SET enable_external_access = false")
    return connection


@cache
def _runner(home: str) -> duckdb.DuckDBPyConnection:
    connection = opened("UTC", {})
    connection.execute(
        f"SET allowed_directories = [{literal(home)}]; SET enable_external_access = false; "
        "SET enable_external_file_cache = false; SET parquet_metadata_cache = true"
    )
    return connection
