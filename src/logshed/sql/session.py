"""Runs one statement on DuckDB, from the first look at its text to its last row; it can reach what it was shown."""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import duckdb

from logshed.errors import QueryError
from logshed.sql import data_files, ending, mistakes, permitted, prune
from logshed.sql.databases import interrupts, own_database
from logshed.sql.result import BATCH_ROWS, Result
from logshed.sql.views import views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from logshed.sql.duckdb import Limits
    from logshed.sql.tables import TableColumn, Tables
    from logshed.sql.views import View

Wanted = dict[str, "str | None"]
"""Tables that a statement reads, each with a row filter or None."""

_TURN = 0.2
"""Seconds until a Ctrl-C is seen at the latest."""

_READS_TABLES = re.compile(r"\b(from|join|tables?|describe|desc|summarize|show|pivot|unpivot)\b", re.IGNORECASE)
_ASKS_FOR_NAMES = re.compile(
    r"\b(show|describe|summarize|query(_table)?|information_schema|(duckdb|pg|pragma|sqlite)_\w+)\b|(^|[(/\n])\s*desc\b",
    re.IGNORECASE,
)
"""What reads tables that it does not name, or lists them."""

_CANCELLED = "cannot go on with the query: it was cancelled; run it again"
_TOO_MUCH = (
    "cannot run the query: it needs more memory, or more room to spill to, than it may have; ask for less, or for a "
    "shorter time"
)
_OF_VALUES = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException)
_HIDDEN = (
    "cannot run the query: a value does not fit what is done with it; which one is not told, as not all may be seen"
)


class Place(Protocol):
    """Where a statement's rows come from.

    Attributes:
        count: Data files that it may read.
        limited: Whether rows lie there that may not be seen, so that an error's text must not show a value.
        told: What the storage says is wrong, or None.
    """

    count: int
    limited: bool

    @property
    def told(self) -> str | None:
        """What the storage says is wrong, or None."""

    def show(
        self, connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[TableColumn], where: str | None
    ) -> Callable[[View], str]:
        """What a view over a table is made of; only rows that pass ``where`` are needed."""
        ...

    def lock(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Leave the connection what it was shown, and nothing else."""
        ...


class Session:
    """One statement's connection, from the first look at its text to its last row."""

    def __init__(self, tables: Tables, sql: str, zone: str, limits: Limits, place: Place) -> None:
        self.known: dict[str, list[str]] = {}
        self._tables = tables
        self._sql = sql
        self._place = place
        with interrupts():
            self._connection = self._connected(zone, limits)
        self._thread = ThreadPoolExecutor(1, "logshed-sql")
        self._thread.submit(int).result()  # it runs from now on: a Ctrl-C while it starts would leave two of them
        self._columns: dict[str, Sequence[TableColumn]] = {}
        self._stubs: prune.Stubs | None = None
        self._shift = 0
        self._utc = zone == "UTC"
        self._ended = False

    def _connected(self, zone: str, limits: Limits) -> duckdb.DuckDBPyConnection:
        return own_database(zone, limits)

    def _planning(self) -> duckdb.DuckDBPyConnection:
        """Where the statement is planned."""
        return self._connection

    def answer(self, params: Mapping[str, object]) -> Result:
        """The statement's result; it runs while its rows are read.

        Raises:
            logshed.errors.QueryError: The statement is wrong, or it does more than read.
        """
        try:
            with interrupts(), self.mistakes_explained():
                return self._run(params)
        except BaseException:
            self.close()
            raise

    def _run(self, params: Mapping[str, object]) -> Result:
        values, wanted = self.plan(params)
        if self._stubs is not None:
            self._show(self._stubs, wanted)
        self._shift = 0
        self._lock()
        ending.begun(self._interrupt, self._progress)
        reader = self._interruptible(self._start, values)
        return Result(
            reader.schema,
            self._batches(reader),
            close=self.close,
            progress=self._progress,
            files_read=self._place.count,
        )

    def _start(self, values: Mapping[str, object]) -> pa.RecordBatchReader:
        if self._ended:
            raise QueryError(_CANCELLED)
        relation = self._connection.sql(self._sql, params=values or None)
        if relation is None:
            raise QueryError("cannot run the query: it gives no rows; write a SELECT")
        return relation.to_arrow_reader(BATCH_ROWS)

    def plan(self, params: Mapping[str, object]) -> tuple[dict[str, object], Wanted]:
        """Plan the statement over stand-ins, which tells its mistakes: its parameters and the tables that it wants."""
        planning = self._planning()
        inner = permitted.reading(planning, self._sql)
        values = self._values(inner, params)
        self._shift = len(prune.EXPLAIN) - len(self._sql.encode()) + len(inner.encode())
        planning.execute("BEGIN")  # one now() for the plan and for the run
        if not _READS_TABLES.search(self._sql):
            prune.plan(planning, inner, values)
            return values, {}
        there = self._tables.names()
        named = [table for table in there if self._named(table)]
        if named and not _ASKS_FOR_NAMES.search(self._sql):
            try:
                return values, self._planned(named, inner, values, self._mentioned)
            except duckdb.Error:  # it may be of a table that the text hides, and what is near a wrong name needs all
                planning.execute("ROLLBACK")
                planning.execute("BEGIN")
        return values, self._planned(there, inner, values, self._every)

    def _planned(
        self,
        tables: Sequence[str],
        sql: str,
        values: Mapping[str, object],
        shown: prune.Shown,
    ) -> Wanted:
        """Plan the statement over stand-ins of some tables and views: each one costs a few milliseconds."""
        columns = {table: self._tables.columns(table) for table in tables}
        self._columns = {table: listed for table, listed in columns.items() if listed}
        for table, listed in self._columns.items():
            self.known |= {view.path: view.columns(listed) for view in views(table)}
        self._stubs = self._stood_in(shown)
        return self._stubs.wanted(sql, values)

    def _stood_in(self, shown: prune.Shown) -> prune.Stubs:
        return prune.Stubs(self._connection, self._columns, shown, utc=self._utc)

    def _every(self, table: str) -> Sequence[View]:
        """All views over a table."""
        return views(table)

    def _mentioned(self, table: str) -> Sequence[View]:
        """The views over a table that the text can mean: those of another schema only where it is named."""
        return [view for view in views(table) if view.schema in self._sql.lower()]

    def _named(self, table: str) -> bool:
        return re.search(rf"\b{table}\b", self._sql, re.IGNORECASE) is not None

    def _values(self, sql: str, params: Mapping[str, object]) -> dict[str, object]:
        (statement,) = self._connection.extract_statements(sql)
        names = statement.named_parameters
        missing = sorted(names - set(params))
        if missing:
            raise QueryError(f"cannot run the query: ${missing[0]} has no value; give {', '.join(missing)}")
        return {name: params[name] for name in sorted(names)}

    def _show(self, stubs: prune.Stubs, wanted: Wanted) -> None:
        for table, listed in self._columns.items():
            # A table that is named but not scanned (WHERE false, DESCRIBE) costs a plan at most; a wrong guess, rows.
            needed = table in wanted or self._named(table)
            show = self._place.show if needed else None
            source = (
                data_files.nothing(listed) if show is None else show(self._connection, table, listed, wanted.get(table))
            )
            stubs.replace(table, source)

    def _lock(self) -> None:
        self._place.lock(self._connection)

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        while True:
            with self.mistakes_explained():
                batch = self._interruptible(next, reader, None)
            if batch is None:
                return
            yield batch

    def _interruptible(self, call: Callable[..., Any], *words: object) -> Any:
        """Run a call in the session's thread: a Ctrl-C reaches Python only while Python waits, not inside DuckDB.

        The wait is in short turns, as the system may hand the signal to another thread, which does not wake this one.
        Whoever ends the statement does so in each turn: DuckDB forgets an interrupt that comes just before it begins.
        """
        try:
            future = self._thread.submit(call, *words)
            self._wait(future)
        except KeyboardInterrupt:
            self._settle()
            raise
        except RuntimeError as error:  # another thread has closed the result
            raise QueryError(_CANCELLED) from error
        return future.result()

    def _wait(self, future: Future[Any]) -> None:
        while not wait([future], _TURN).done:
            if self._ended:
                self._connection.interrupt()

    def _settle(self) -> None:
        """End what runs, and wait until nothing does."""
        self._interrupt()
        try:
            self._wait(self._thread.submit(int))
        except RuntimeError:  # it was closed before
            return

    @contextmanager
    def mistakes_explained(self) -> Iterator[None]:
        """Turn DuckDB's errors into ours."""
        try:
            yield
        except (duckdb.Error, OSError) as error:
            if self._ended:
                raise QueryError(_CANCELLED) from error
            if self._place.told:
                raise QueryError(self._place.told) from error
            if isinstance(error, duckdb.OutOfMemoryException):
                raise QueryError(_TOO_MUCH) from error
            if self._place.limited and isinstance(error, _OF_VALUES):
                raise QueryError(_HIDDEN) from error
            raise mistakes.explained(error, self._sql, self.known, self._shift) from error

    def _interrupt(self) -> None:
        """End the statement from another thread, while this one waits for its first rows."""
        self._ended = True
        self._connection.interrupt()

    def _progress(self) -> float | None:
        if self._ended:
            return None
        percent = self._connection.query_progress()
        return percent / 100 if percent >= 0 else None

    def close(self) -> None:
        """End the statement, also one that another thread reads, and free its memory."""
        self._settle()
        self._thread.shutdown()
        self._connection.close()
