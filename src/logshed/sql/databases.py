"""Opens DuckDB's databases in memory, each for one statement or for many, with limits and without a way out."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from logshed.sql import spilling
from logshed.sql.views import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.sql.duckdb import Limits

_INTERRUPTED = "Query interrupted"
_OWN = """
ATTACH ':memory:' AS iceberg;
USE iceberg.main;
CREATE SCHEMA iceberg.analytics;
CREATE SCHEMA iceberg.lake;
"""


def opened(zone: str, limits: Limits) -> duckdb.DuckDBPyConnection:
    """A database of its own in memory; what does not fit there goes into a folder."""
    memory, threads, spill = (limits.get(name) for name in ("memory_limit", "threads", "temp_limit"))
    config = {
        "TimeZone": zone,
        "memory_limit": memory,
        "threads": threads,
        "max_temp_directory_size": spill,
        "temp_directory": str(spilling.folder() / f"logshed-{secrets.token_hex(8)}"),
        "python_enable_replacements": "false",  # else a table's name could mean a variable of ours
        "autoinstall_known_extensions": "false",  # nothing is fetched for a name in a statement
        "autoload_known_extensions": "false",
        "errors_as_json": "true",  # they say where the mistake is
    }
    connection = duckdb.connect()
    execute = connection.execute
    execute("".join(f"SET {name} = {literal(str(value))};" for name, value in config.items() if value is not None))
    return connection


@contextmanager
def interrupts() -> Iterator[None]:
    """Let a Ctrl-C be one: in the main thread DuckDB takes the signal and makes another error of it."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == _INTERRUPTED:
            raise KeyboardInterrupt from error
        raise


def own_database(zone: str, limits: Limits) -> duckdb.DuckDBPyConnection:
    """A database in which a statement finds the names that it expects."""
    connection = opened(zone, limits)
    connection.execute(_OWN)
    return connection
