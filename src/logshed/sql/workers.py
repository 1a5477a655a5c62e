"""Runs people's statements in processes beside this one, which end when a statement takes more than it may."""

from __future__ import annotations

import io
import os
import pickle
import select
import threading
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from logshed.errors import LogshedError, QueryError
from logshed.sizes import parsed
from logshed.sql import ending, messages
from logshed.sql.feeding import Feed
from logshed.sql.processes import Process, pool
from logshed.sql.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from logshed.sql.duckdb import Limits
    from logshed.sql.sight import Sight
    from logshed.sql.tables import Tables

DEFAULTS: Limits = {"memory_limit": "1GB", "temp_limit": "4GB", "seconds": 300.0}
"""What a statement may take where nothing else is said."""
BESIDE = 1 << 29
"""Bytes of data that a statement may have beside its memory limit: threads' stacks, and what DuckDB does not count."""
_GRACE = 0.1
"""Seconds in which a process may end its statement by itself, once nobody wants its rows."""


def answer(
    tables: Tables,
    sight: Sight | None,
    sql: str,
    params: Mapping[str, object],
    zone: str,
    limits: Limits,
    home: str | None = None,
) -> Result:
    """The result of a statement of people's.

    Args:
        tables: The tables that they may see.
        sight: What they may see of them; None is all.
        sql: The statement.
        params: Its values by name.
        zone: The zone of days, hours and times that name none.
        limits: What it may take; ``DEFAULTS`` holds where nothing is said.
        home: The folder on this machine in which all data files lie, or None.

    Raises:
        logshed.errors.QueryError: The statement is wrong, does what it may not, or takes more than it may.
    """
    allowed: Limits = {**DEFAULTS, **limits}
    apart = sight is not None or tables.filesystem() is not None
    job = {
        "sql": sql,
        "zone": zone,
        "apart": apart,
        "params": b64encode(pickle.dumps(dict(params))).decode(),
        "limits": {name: value for name, value in allowed.items() if name != "seconds"},
        "bytes": parsed(allowed["memory_limit"]) * 5 // 4 + BESIDE,
    }
    statement = _Statement(pool.take(), tables, Feed(tables, sight, limits, home), allowed)
    try:
        return statement.begun(job)
    except BaseException:
        statement.close()
        raise


class _Statement:
    """One statement in another process, which is told what it asks for as long as it runs."""

    def __init__(self, process: Process, tables: Tables, feed: Feed, limits: Limits) -> None:
        self._process = process
        self._tables = tables
        self._feed = feed
        self._limits = limits
        self._files = 0
        self._fate: str | None = None
        self._mistake: QueryError | None = None
        self._turn = threading.Lock()
        self._begun = threading.Event()
        self._talk = threading.Thread(target=self._talking, name="logshed-sql-talk", daemon=True)
        self._pipe: _Pipe | None = None
        self._reading = self._cancelled = self._killed = self._over = False

    def begun(self, job: dict[str, Any]) -> Result:
        """The result, once the first of it is there."""
        self._process.ready()
        out, into = os.pipe()
        self._pipe = pipe = _Pipe(out, self._limits["seconds"], self._late)
        try:
            messages.send(self._process.line, job, (into,))
        finally:
            os.close(into)
        self._talk.start()
        ending.begun(self._interrupt)
        try:
            reader = pa.ipc.open_stream(io.BufferedReader(pipe, 1 << 20))
        except (pa.ArrowInvalid, OSError) as error:
            raise self._told() from error
        self._begun.wait()
        return Result(reader.schema, self._batches(reader, pipe), close=self.close, files_read=self._files)

    def _batches(self, reader: pa.RecordBatchReader, pipe: _Pipe) -> Iterator[pa.RecordBatch]:
        self._reading = True
        try:
            yield from reader
        except (pa.ArrowInvalid, OSError) as error:
            raise self._told() from error
        finally:
            pipe.close()
        self._talk.join()
        if self._fate != "done":
            raise self._told()

    def _told(self) -> QueryError:
        """What went wrong, once all is said."""
        self._talk.join()
        if self._cancelled:
            return QueryError("cannot go on with the query: it was cancelled; run it again")
        if self._feed.told:
            return QueryError(self._feed.told)
        memory = self._limits["memory_limit"]
        return self._mistake or QueryError(
            f"cannot run the query: it took more memory than {memory}, or broke the engine; ask for less"
        )

    def _talking(self) -> None:
        line = self._process.line
        try:
            while self._fate is None:
                message, _ = messages.receive(line)
                if "ask" in message:
                    self._reply(message)
                elif message["say"] == "begun":
                    self._files = self._feed.count or message["files"]
                    self._begun.set()
                else:
                    self._end(message["say"], message.get("error"))
        except (EOFError, OSError, ValueError):
            self._end("gone", None)
        finally:
            self._begun.set()

    def _end(self, fate: str, mistake: str | None) -> None:
        with self._turn:
            if self._fate is None:
                self._fate = fate
                self._mistake = QueryError(mistake) if mistake and mistake != "memory" else None

    def _reply(self, message: dict[str, Any]) -> None:
        asked, table = message["ask"], str(message.get("table"))
        try:
            if asked == "scan":
                with self._feed.scan(table, message["columns"], message["where"]) as rows:
                    messages.send(self._process.line, {}, (rows.fileno(),))
                return
            said: dict[str, Callable[[], object]] = {
                "names": lambda: list(self._tables.names()),
                "columns": lambda: messages.told(list(self._tables.columns(table))),
                "files": lambda: list(self._tables.files(table, message["where"])),
            }
            reply = {asked: said[asked]()}
        except LogshedError as error:
            reply = {"error": str(error)}
        messages.send(self._process.line, reply)

    def _late(self) -> None:
        seconds = self._limits["seconds"]
        self._end(
            "late", f"cannot run the query: it took longer than {seconds:g} s; ask for less, or for a shorter time"
        )
        self._kill()

    def _interrupt(self) -> None:
        """End the statement from another thread, while this one waits for its first rows."""
        self._cancelled = True
        self._kill()

    def _kill(self) -> None:
        """End the process, unless it was given back: it may run somebody else's statement by now."""
        with self._turn:
            if not self._over:
                self._killed = True
                self._process.end()

    def close(self) -> None:
        """End the statement, also one that another thread reads; a process that is done with it is used again."""
        self._cancelled = self._fate is None
        if self._pipe is not None and not self._reading:
            self._pipe.close()  # whoever waits to write into it goes on, and ends
        if self._talk.is_alive() and self._pipe is not None and self._pipe.closed:
            self._talk.join(_GRACE)
        with self._turn:
            over, self._over = self._over, True
        if over:
            return
        if self._fate in {"done", "error"} and not self._killed:
            pool.give(self._process)
        else:
            self._process.end()
            pool.give(Process())
        self._feed.close()


class _Pipe(io.RawIOBase):
    """The rows as they come, for as long as may be waited for them in all."""

    def __init__(self, file: int, seconds: float, late: Callable[[], None]) -> None:
        self._file = file
        self._left = seconds
        self._late = late
        self._poll = select.poll()
        self._poll.register(file, select.POLLIN)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there; nothing is the end, also that of the time."""
        begun = time.monotonic()
        there = self._poll.poll(max(self._left, 0) * 1000)
        self._left -= time.monotonic() - begun
        if not there:
            self._late()
            return 0
        return os.readv(self._file, [buffer])

    def close(self) -> None:
        """Let go of it."""
        if not self.closed:
            os.close(self._file)
        super().close()
