"""Runs statements on DuckDB, embedded, in a connection that can read the lake's files and nothing else."""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import duckdb

from logshed.errors import QueryError
from logshed.sql import data_files, mistakes, prune
from logshed.sql.filters import both
from logshed.sql.result import BATCH_ROWS, Result
from logshed.sql.views import literal, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from logshed.sql.sight import Sight
    from logshed.sql.tables import TableColumn, Tables

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

_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?(\([^()]*\)\s*)?", re.IGNORECASE)


def connect(
    tables: Tables,
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    timezone: str = "UTC",
    sight: Sight | None = None,
) -> DuckDB:
    """An engine over a lake's tables.

    Args:
        tables: The lake's tables.
        memory_limit: Such as ``2GB``; above it DuckDB spills to the temporary folder. None takes DuckDB's own default.
        threads: Cores that a statement may use; None takes all.
        timezone: The zone of days, hours and times that name none.
        sight: What the one who asks may see; None is all.
    """
    return DuckDB(tables, memory_limit=memory_limit, threads=threads, timezone=timezone, sight=sight)


class Limits(TypedDict, total=False):
    """What a statement may take: memory as ``2GB``, and threads; all of the machine where it is not said."""

    memory_limit: str
    threads: int


class DuckDB:
    """Answers statements; each one gets a connection of its own, so that one engine serves many threads."""

    def __init__(
        self,
        tables: Tables,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        timezone: str = "UTC",
        sight: Sight | None = None,
    ) -> None:
        self._tables = tables
        self._sight = sight
        self._settings = {"memory_limit": memory_limit, "threads": threads, "TimeZone": timezone}

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> Result:
        """Run one statement that reads.

        Args:
            sql: The statement; ``$name`` stands for a value.
            params: The values by name; ones that the statement does not use are ignored.

        Raises:
            logshed.errors.QueryError: The statement is wrong, or it does more than read.
        """
        session = _Session(self._tables, sql, self._settings, self._sight)
        try:
            with session.mistakes_explained():
                return session.run(params or {})
        except BaseException:
            session.close()
            raise

    def filters(self, sql: str, params: Mapping[str, object] | None = None) -> dict[str, str | None]:
        """The tables that a statement reads, each with a row filter that all rows it needs pass, or None.

        Nothing is run and no data file is read.

        Raises:
            logshed.errors.QueryError: The statement is wrong, or it does more than read.
        """
        session = _Session(self._tables, sql, self._settings, self._sight)
        try:
            with session.mistakes_explained():
                return session.plan(params or {})[1]
        finally:
            session.close()


class _Session:
    """One statement's connection, from the first look at its text to its last row."""

    def __init__(self, tables: Tables, sql: str, settings: Mapping[str, object], sight: Sight | None) -> None:
        self.known: dict[str, list[str]] = {}
        self._tables = tables
        self._sql = sql
        self._sight = sight
        self._connection = duckdb.connect()
        self._thread = ThreadPoolExecutor(1, "logshed-sql")
        self._columns: dict[str, Sequence[TableColumn]] = {}
        self._stubs: prune.Stubs | None = None
        self._files = 0
        self._reader: Any | None = None
        self._shift = 0
        self._utc = settings["TimeZone"] == "UTC"
        self._setup(settings)

    def _setup(self, settings: Mapping[str, object]) -> None:
        execute = self._connection.execute
        for name, value in settings.items():
            if value is not None:
                execute(f"SET {name} = {literal(str(value))}")
        spill = Path(tempfile.gettempdir()) / f"logshed-{id(self):x}"
        execute(f"SET temp_directory = {literal(str(spill))}")
        execute("SET python_enable_replacements = false")  # else a table's name could mean a variable of ours
        execute("SET autoinstall_known_extensions = false")  # nothing is fetched for a name in a statement
        execute("SET autoload_known_extensions = false")
        execute("SET errors_as_json = true")  # they say where the mistake is
        execute("ATTACH ':memory:' AS iceberg")
        execute("USE iceberg.main")
        execute("CREATE SCHEMA iceberg.analytics")
        execute("CREATE SCHEMA iceberg.lake")

    def run(self, params: Mapping[str, object]) -> Result:
        """The statement's result; it runs while its rows are read."""
        values, wanted = self.plan(params)
        if self._stubs is not None:
            self._show_files(self._stubs, wanted)
        self._shift = 0
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        reader = self._interruptible(self._start, values)
        return Result(
            reader.schema, self._batches(reader), close=self.close, progress=self._progress, files_read=self._files
        )

    def _start(self, values: Mapping[str, object]) -> pa.RecordBatchReader:
        relation = self._connection.sql(self._sql, params=values or None)
        if relation is None:
            raise QueryError("cannot run the query: it gives no rows; write a SELECT")
        return relation.to_arrow_reader(BATCH_ROWS)

    def plan(self, params: Mapping[str, object]) -> tuple[dict[str, object], Wanted]:
        """Plan the statement over stand-ins, which tells its mistakes: its parameters and the tables that it wants."""
        inner = self._checked()
        values = self._values(inner, params)
        self._shift = len(prune.EXPLAIN) - len(self._sql.encode()) + len(inner.encode())
        self._connection.execute("BEGIN")  # one now() for the plan and for the run
        if not _READS_TABLES.search(self._sql):
            prune.plan(self._connection, inner, values)
            return values, {}
        there = self._tables.names() if self._sight is None else self._sight.tables(self._tables)
        named = [table for table in there if self._named(table)]
        if named and not _ASKS_FOR_NAMES.search(self._sql):
            try:
                return values, self._planned(named, inner, values)
            except duckdb.Error:  # it may be of a table that the text hides, and what is near a wrong name needs all
                self._connection.execute("ROLLBACK")
                self._connection.execute("BEGIN")
        return values, self._planned(there, inner, values)

    def _planned(self, tables: Sequence[str], sql: str, values: Mapping[str, object]) -> Wanted:
        """Plan the statement over stand-ins of some tables: each one costs a few milliseconds."""
        columns = {table: self._tables.columns(table) for table in tables}
        self._columns = {table: listed for table, listed in columns.items() if self._shows(listed)}
        for table, listed in self._columns.items():
            self.known |= {view.path: view.columns(listed) for view in views(table)}
        self._stubs = prune.Stubs(self._connection, self._columns, utc=self._utc)
        return self._stubs.wanted(sql, values)

    def _shows(self, columns: Sequence[TableColumn]) -> bool:
        return self._sight is None or self._sight.shows(columns)

    def _named(self, table: str) -> bool:
        return re.search(rf"\b{table}\b", self._sql, re.IGNORECASE) is not None

    def _checked(self) -> str:
        """The statement without EXPLAIN before it, once it is known that it only reads."""
        statements = self._connection.extract_statements(self._sql)
        if len(statements) != 1:
            raise QueryError(f"cannot run the query: it holds {len(statements)} statements; give exactly one")
        kind = statements[0].type.name
        if kind == "EXPLAIN":
            inner = _EXPLAIN.sub("", self._sql, count=1)
            kinds = {statement.type.name for statement in self._connection.extract_statements(inner)}
            kind = "SELECT" if kinds == {"SELECT"} else "EXPLAIN of a statement that writes"
        else:
            inner = self._sql
        if kind not in {"SELECT", "MULTI"}:  # MULTI is how DuckDB sees PIVOT
            raise QueryError(f"cannot run the query: {kind} is not allowed, the lake is read only here; write a SELECT")
        return inner

    def _values(self, sql: str, params: Mapping[str, object]) -> dict[str, object]:
        (statement,) = self._connection.extract_statements(sql)
        names = statement.named_parameters
        missing = sorted(names - set(params))
        if missing:
            raise QueryError(f"cannot run the query: ${missing[0]} has no value; give {', '.join(missing)}")
        return {name: params[name] for name in sorted(names)}

    def _show_files(self, stubs: prune.Stubs, wanted: Wanted) -> None:
        paths: list[str] = []
        for table, listed in self._columns.items():
            # A table that is named but not scanned (WHERE false, DESCRIBE) costs a plan at most; a wrong guess, rows.
            needed = table in wanted or self._named(table)
            seen = None if self._sight is None else self._sight.row_filter()
            files = self._tables.files(table, both(wanted.get(table), seen)) if needed else ()
            local = [file.removeprefix("file://") for file in files]
            self._reach(local)
            stubs.replace(table, partial(data_files.shown, listed, local, self._sight))
            paths += local
        self._files = len(paths)
        if paths:
            self._connection.execute(f"SET allowed_paths = [{', '.join(map(literal, paths))}]")

    def _reach(self, files: Sequence[str]) -> None:
        """Let DuckDB open addresses by the client that the lake has; which of them it may, ``allowed_paths`` says."""
        if self._reader is not None or not files or "://" not in files[0]:
            return
        self._reader = self._tables.filesystem()
        self._connection.register_filesystem(self._reader)

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
        """
        future = self._thread.submit(call, *words)
        try:
            while not wait([future], _TURN).done:
                pass
        except KeyboardInterrupt:
            self._connection.interrupt()
            wait([future])
            raise
        return future.result()

    @contextmanager
    def mistakes_explained(self) -> Iterator[None]:
        """Turn DuckDB's errors into ours."""
        try:
            yield
        except (duckdb.Error, OSError) as error:
            if self._reader is not None and self._reader.told:
                raise QueryError(self._reader.told) from error
            raise mistakes.explained(error, self._sql, self.known, self._shift) from error

    def _progress(self) -> float | None:
        percent = self._connection.query_progress()
        return percent / 100 if percent >= 0 else None

    def close(self) -> None:
        """End the statement and free its memory."""
        self._connection.interrupt()
        self._thread.shutdown()
        self._connection.close()
