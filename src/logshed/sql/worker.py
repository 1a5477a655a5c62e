"""The process that runs people's statements: it is told tables and handed rows, and knows of nothing else.

It is started by ``workers``, with one socket. A statement that takes too much takes this process down and no other.
"""

from __future__ import annotations

import os
import pickle
import resource
import select
import socket
import sys
import tempfile
import threading
from base64 import b64decode
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb
import pyarrow as pa

from logshed.errors import QueryError
from logshed.sql import messages, mistakes, permitted, spilling
from logshed.sql.data_files import Files
from logshed.sql.databases import own_database
from logshed.sql.session import Session
from logshed.sql.streams import Streams
from logshed.sql.views import views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.sql.duckdb import Limits
    from logshed.sql.tables import TableColumn


class Told:
    """Tables as the process that started this one tells of them."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._turn = threading.Lock()
        self._names: list[str] | None = None

    def names(self) -> Sequence[str]:
        """The tables' short names."""
        if self._names is None:
            self._names = self._asked({"ask": "names"})[0]["names"]
        return self._names

    def closed(self) -> Sequence[str]:
        """None: who asks may see what is told."""
        return ()

    def columns(self, table: str) -> Sequence[TableColumn]:
        """The columns of a table."""
        return messages.heard(self._asked({"ask": "columns", "table": table})[0]["columns"])

    def files(self, table: str, where: str | None) -> Sequence[str]:
        """The data files of a table."""
        found: list[str] = self._asked({"ask": "files", "table": table, "where": where})[0]["files"]
        return found

    def filesystem(self) -> None:
        """None: what lies elsewhere comes as a stream."""

    def renamed(self, table: str) -> bool:  # noqa: ARG002 - as all tables
        """Unknown here, and no matter to DuckDB."""
        return True

    def scan(self, table: str, columns: Sequence[str], where: str | None) -> pa.RecordBatchReader:
        """Rows of a table, as a stream."""
        _, (file,) = self._asked({"ask": "scan", "table": table, "columns": list(columns), "where": where})
        return pa.ipc.open_stream(os.fdopen(file, "rb", buffering=1 << 20))

    def say(self, message: dict[str, Any]) -> None:
        """Say something that needs no answer; a scan may ask for rows meanwhile, in another thread."""
        with self._turn:
            messages.send(self._line, message)

    def _asked(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        with self._turn:
            messages.send(self._line, message)
            answer, files = messages.receive(self._line)
        if "error" in answer:
            raise QueryError(answer["error"])
        return answer, files


class _Prompt(Session):
    """A statement in a database that was made while nobody waited: making one takes a third of a small statement."""

    made: ClassVar[dict[str, duckdb.DuckDBPyConnection]] = {}

    @classmethod
    def prepare(cls, zone: str, limits: Limits) -> None:
        """Make the database of the next statement, if it is asked for as this one was."""
        for old in cls.made.values():
            old.close()
        cls.made = {repr((zone, limits)): own_database(zone, limits)}

    def _connected(self, zone: str, limits: Limits) -> duckdb.DuckDBPyConnection:
        return self.made.pop(repr((zone, limits)), None) or super()._connected(zone, limits)


def serve(line: socket.socket) -> None:
    """Run one statement after the other, until nobody wants more."""
    threading.Thread(target=_end_with, args=[line.fileno()], daemon=True).start()
    with suppress(EOFError):
        _own_bytes()
        messages.send(line, {"say": "ready"})
        while True:
            job, (out,) = messages.receive(line)
            with suppress(BrokenPipeError), os.fdopen(out, "wb") as into:
                said = _run(job, line, into)
            messages.send(line, said)
            _Prompt.prepare(job["zone"], job["limits"])


def _run(job: dict[str, Any], line: socket.socket, into: Any) -> dict[str, Any]:
    """Run a statement and write its rows; what is to be said at its end."""
    if (own := _own_bytes()) is not None:
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (own + job["bytes"], most))
    tables = Told(line)
    place = Streams(tables.scan) if job["apart"] else Files(tables, None)
    try:
        _look_at(job["sql"], tables)
        session = _Prompt(tables, job["sql"], job["zone"], job["limits"], place)
        with session.answer(pickle.loads(b64decode(job["params"]))) as result:  # noqa: S301 - of who started this
            tables.say({"say": "begun", "files": result.files_read or 0})
            with pa.ipc.new_stream(into, result.schema) as stream:
                for batch in result.batches():
                    stream.write_batch(batch)
    except QueryError as error:
        return {"say": "error", "error": str(error)}
    except MemoryError:
        return {"say": "error", "error": "memory"}
    return {"say": "done"}


def _look_at(sql: str, tables: Told) -> None:
    """Let a statement through that keeps to what it may; nothing of it is planned for that."""
    try:
        inner = permitted.reading(_parser(), sql)
    except duckdb.Error as error:
        raise mistakes.explained(error, sql, {}) from error
    permitted.check(_parser(), inner, [view.path for table in tables.names() for view in views(table)])


@cache
def _own_bytes() -> int | None:
    """Bytes of data that the program itself has before the first statement; None where the system does not tell."""
    _parser()
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[5]) * resource.getpagesize() if told.exists() else None


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """A connection that runs nothing of people's."""
    connection = duckdb.connect()
    connection.execute("SET errors_as_json = true")
    return connection


def _end_with(line: int) -> None:
    """End at once when the other side has gone, whatever is being computed."""
    poll = select.poll()
    poll.register(line, 0)
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    spilling.use(Path(tempfile.gettempdir()))
    serve(socket.socket(fileno=int(sys.argv[1])))
