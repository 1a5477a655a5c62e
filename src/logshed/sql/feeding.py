"""Hands the rows that somebody may see to the process that runs their statement: only these ever reach it."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from logshed.errors import QueryError
from logshed.sql import shared
from logshed.sql.data_files import empty, parquet, shut
from logshed.sql.databases import opened
from logshed.sql.result import BATCH_ROWS
from logshed.sql.views import literal, named, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from logshed.sql.duckdb import Limits
    from logshed.sql.sight import Sight
    from logshed.sql.tables import Tables

_BUFFER = 1 << 20
_FILTER = re.compile(r"\s+|'(?:[^']|'')*'|-?[0-9]+|[A-Za-z_][A-Za-z0-9_]*|[<>!]?=|[<>(),]")
_WORDS = {"and", "or", "in", "is", "not", "null", "true", "false"}


def filtered(where: str, columns: Collection[str]) -> str:
    """A row filter as DuckDB takes it: comparisons of columns with literals, and nothing that can fail or do more.

    Args:
        where: What ``filters.row_filter`` gives.
        columns: The columns that there are.

    Raises:
        QueryError: It is something else.
    """
    place, parts = 0, []
    while place < len(where):
        found = _FILTER.match(where, place)
        if found is None:
            raise _wrong(where)
        text, place = found[0], found.end()
        if text[0].isalpha() or text[0] == "_":
            if text not in columns and text not in _WORDS:
                raise _wrong(where)
            text = quoted(text) if text in columns else text
        parts.append(text)
    return "".join(parts)


def _wrong(where: str) -> QueryError:
    return QueryError(f"cannot read rows by {where!r}: it is no row filter; report this statement")


class Feed:
    """The rows of one statement: a scan of a table is a stream, made when it is asked for.

    Args:
        tables: The tables that may be seen.
        sight: What may be seen of them; None is all.
        limits: What reading may take.
        home: The folder on this machine in which all data files lie, to read them in a database that is there
            already; None reads each table in one of its own.

    Attributes:
        told: What went wrong with reading, or None.
        count: Data files that were read.
    """

    def __init__(self, tables: Tables, sight: Sight | None, limits: Limits, home: str | None) -> None:
        self.told: str | None = None
        self.count = 0
        self._tables = tables
        self._condition = "true" if sight is None else sight.condition()
        self._limits = limits
        self._home = home
        self._turn = threading.Lock()
        self._reader: Any | None = None
        self._sources: dict[tuple[str, str | None], tuple[str, set[str]]] = {}
        self._running: list[tuple[threading.Thread, duckdb.DuckDBPyConnection, socket.socket]] = []
        self._ended = False

    def scan(self, table: str, columns: Sequence[str], where: str | None) -> socket.socket:
        """The end of a stream from which the rows of a table can be read.

        Args:
            table: Its short name.
            columns: The columns that are wanted.
            where: A row filter that the rows which are needed pass, or None.

        Raises:
            logshed.errors.LogshedError: There is no such column, or the lake cannot be read.
        """
        source, known = self._source(table, where)
        if not columns or not known.issuperset(columns):
            raise QueryError(f"cannot read {', '.join(columns)} of {table}: there is no such column")
        near, far = socket.socketpair()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        connection = self._connection(table, where)
        text = f"SELECT {', '.join(map(quoted, columns))} FROM {source}"
        thread = threading.Thread(
            target=self._pour, args=[connection, text, near], name="logshed-sql-feed", daemon=True
        )
        with self._turn:
            self._running.append((thread, connection, near))
        thread.start()
        return far

    def _source(self, table: str, where: str | None) -> tuple[str, set[str]]:
        """What stands after FROM, and the names of its columns."""
        if (table, where) not in self._sources:
            columns = self._tables.columns(table)
            own = {column.name for column in columns if column.attribute is None}
            condition = self._condition if where is None else f"{self._condition} AND ({filtered(where, own)})"
            files = self._files(table, where)
            shown = ", ".join(f"{text} AS {quoted(name)}" for name, text in named(columns).items())
            rows = parquet(files, columns) if files else empty(columns)
            self._sources[table, where] = (
                f"(SELECT {shown} FROM {rows} WHERE {condition})",
                {column.name for column in columns},
            )
        return self._sources[table, where]

    def _files(self, table: str, where: str | None) -> list[str]:
        return [file.removeprefix("file://") for file in self._tables.files(table, where)]

    def _connection(self, table: str, where: str | None) -> duckdb.DuckDBPyConnection:
        """A connection that can read the files of one scan and nothing else."""
        files = self._files(table, where)
        self.count += len(files)
        if self._home is not None and shared.lie_in(self._home, files):
            return shared.connected(self._home, "UTC")
        connection = opened("UTC", self._limits)
        if files and "://" in files[0]:
            self._reader = self._reader or self._tables.filesystem()
            connection.register_filesystem(self._reader)
        connection.execute(f"SET allowed_paths = [{', '.join(map(literal, files))}]")
        shut(connection)
        return connection

    def _pour(self, connection: duckdb.DuckDBPyConnection, text: str, into: socket.socket) -> None:
        try:
            with into, into.makefile("wb", buffering=_BUFFER) as file:
                reader = connection.sql(text).to_arrow_reader(BATCH_ROWS)
                with pa.ipc.new_stream(file, reader.schema) as stream:
                    for batch in reader:
                        stream.write_batch(batch)
        except (BrokenPipeError, ConnectionError):
            return  # enough was read
        except (duckdb.Error, OSError) as error:
            if not self._ended:
                told = self._reader.told if self._reader is not None else None
                self.told = told or f"cannot read the lake's files: {type(error).__name__}; `logshed verify` says more"
        finally:
            connection.close()

    def close(self) -> None:
        """End what is still read."""
        self._ended = True
        with self._turn:
            running, self._running = self._running, []
        for thread, connection, near in running:
            if thread.is_alive():
                with suppress(duckdb.ConnectionException, OSError):  # it is over already
                    connection.interrupt()
                    near.shutdown(socket.SHUT_RDWR)  # whoever waits to write into it goes on, and fails
        for thread, _, _ in running:
            thread.join()
