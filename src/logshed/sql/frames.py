"""Runs DuckDB over frames in memory, in a connection that can read nothing else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from logshed.errors import QueryError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Frames:
    """Frames by name, to be asked in SQL. For one thread; close it, or use it in a ``with``."""

    def __init__(self) -> None:
        self._connection = _database().cursor()  # which sees no other's frames

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """Let statements see a frame under a name; one that bore it before is forgotten."""
        self._connection.register(name, frame.to_arrow())

    def ask(self, sql: str) -> pl.DataFrame:
        """What a statement answers.

        Raises:
            QueryError: It is wrong.
        """
        try:
            found = pl.from_arrow(self._connection.sql(sql).to_arrow_table())
        except duckdb.Error as error:
            raise QueryError(f"cannot ask {sql[:200]!r}: {str(error).splitlines()[0]}; correct it") from error
        return found if isinstance(found, pl.DataFrame) else found.to_frame()

    def close(self) -> None:
        """Forget all frames."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """An empty database for all: making one takes longer than most statements over a few rows."""
    database = duckdb.connect()
    for setting in (
        "SET GLOBAL TimeZone = 'UTC'",
        "SET GLOBAL python_enable_replacements = false",  # else a table's name could mean a variable of ours
        "SET GLOBAL enable_external_access = false",
        "SET GLOBAL lock_configuration = true",
    ):
        database.execute(setting)
    return database
