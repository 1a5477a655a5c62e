"""SQL over the lake: the same statement on DuckDB (embedded) or on ClickHouse. The only place that picks a dialect."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from logshed.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.sql.result import Result
    from logshed.sql.tables import Tables

ENGINES = ("duckdb", "clickhouse")
"""Names of the engines; each is a module of this package with a function ``connect(tables, **options)``."""


class Engine(Protocol):
    """Something that answers a statement."""

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> Result:
        """Run one statement that reads, written in DuckDB's dialect.

        Args:
            sql: The statement; ``$name`` stands for a value.
            params: The values by name; ones that the statement does not use are ignored.

        Raises:
            logshed.errors.QueryError: The statement is wrong, or it does more than read.
        """
        ...


def connect(engine: str, tables: Tables, **options: Any) -> Engine:
    """An engine over a lake's tables.

    Args:
        engine: One of ``ENGINES``.
        tables: The lake's tables.
        options: What this engine takes besides, such as ``memory_limit="2GB"``.

    Raises:
        logshed.errors.QueryError: There is no such engine, or a part that it needs is not installed.
    """
    if engine not in ENGINES:
        raise QueryError(f"cannot open the SQL engine {engine!r}: there is none; take one of {', '.join(ENGINES)}")
    found: Engine = import_module(f"logshed.sql.{engine}").connect(tables, **options)
    return found
