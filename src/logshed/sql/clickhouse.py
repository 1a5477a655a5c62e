"""Runs statements on ClickHouse: a server, or its engine inside this process (chdb), both by clickhouse-connect."""

from __future__ import annotations

import re
import secrets
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from logshed.errors import LogshedError, QueryError
from logshed.sql import clickhouse_arrow, dialect
from logshed.sql.duckdb import DuckDB
from logshed.sql.result import BATCH_ROWS, Result
from logshed.sql.views import views

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from logshed.schema import Kind
    from logshed.sql.sight import Sight
    from logshed.sql.tables import TableColumn, Tables

SETTINGS: dict[str, object] = {
    "prefer_column_name_to_alias": 1,  # as in DuckDB: WHERE means the column
    "aggregate_functions_null_for_empty": 1,
    "join_use_nulls": 1,
    "cast_keep_nullable": 1,
    "output_format_arrow_string_as_string": 1,
    "output_format_arrow_compression_method": "none",
    "max_block_size": BATCH_ROWS,
    "readonly": 1,  # also keeps file(), url() and the like shut
}
"""They make ClickHouse answer as DuckDB does, and keep a statement from doing more than read."""

_CODE = re.compile(r"^.*?DB::Exception: ", re.DOTALL)
_TAIL = re.compile(r"(\. In scope | SETTINGS | FORMAT |: While executing | \([A-Z_]+\)).*", re.DOTALL)


_TYPES: dict[Kind, str] = {
    "string": "Nullable(String)",
    "int": "Nullable(Int32)",
    "long": "Nullable(Int64)",
    "double": "Nullable(Float64)",
    "boolean": "Nullable(Bool)",
    "timestamptz": "Nullable(DateTime64(6, '{zone}'))",
    "map": "Map(String, Nullable(String))",
}


def connect(
    tables: Tables, *, timezone: str = "UTC", sight: Sight | None = None, sandbox: bool = False, **client: Any
) -> ClickHouse:
    """An engine over a lake's tables.

    Args:
        tables: The lake's tables.
        timezone: The zone of days, hours and times that name none.
        sight: What the one who asks may see; None is all, and all is the only thing that this engine can show.
        sandbox: Whether statements are people's, for which this engine has no limits.
        client: What ``clickhouse_connect.get_client`` takes, such as ``host``; without it chdb answers.

    Raises:
        logshed.errors.QueryError: Somebody does not see all, or is not trusted with the machine.
    """
    if sandbox and sight is None:
        raise QueryError("cannot ask ClickHouse here: it has no limits for a statement; use DuckDB")
    if sight is not None:
        raise QueryError("cannot ask ClickHouse: it shows all collections, and not all may be seen here; use DuckDB")
    return ClickHouse(tables, timezone=timezone, **client)


class ClickHouse:
    """Answers statements written in DuckDB's dialect.

    Args:
        tables: The lake's tables. A server must see their files under the same paths, inside its ``user_files_path``.
        timezone: The zone of days, hours and times that name none.
        client: See ``connect``.

    Raises:
        logshed.errors.QueryError: The packages are not installed, or the server does not answer.
    """

    def __init__(self, tables: Tables, *, timezone: str = "UTC", **client: Any) -> None:
        self._tables = tables
        self._zone = timezone
        options = client or {"interface": "chdb"}
        self._inside = options.get("interface") == "chdb"
        self._maker = _client(options)
        self._reader = _reader(options, {**SETTINGS, "session_timezone": timezone})

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> Result:
        """Run one statement that reads.

        Args:
            sql: The statement, in DuckDB's dialect; ``$name`` stands for a value.
            params: The values by name; ones that the statement does not use are ignored.

        Raises:
            logshed.errors.QueryError: The statement is wrong, or it does more than read.
        """
        values = params or {}
        mistake: QueryError | None = None
        filters: dict[str, str | None] = {}
        try:
            filters = DuckDB(self._tables, timezone=self._zone).filters(sql, values)
        except QueryError as error:
            mistake = error  # or a function that only ClickHouse has: it shall try
        statement = _Statement(self._maker, self._reader, self._tables, self._zone, inside=self._inside)
        try:
            return statement.run(sql, values, filters)
        except Exception as error:  # the client raises what its transport does
            statement.close()
            if isinstance(error, LogshedError) and not isinstance(error, QueryError):
                raise  # the lake's, not the statement's
            raise mistake or _query_error(error) from error


class _Statement:
    """One statement and the database that shows it the lake's tables."""

    def __init__(self, maker: Any, reader: Any, tables: Tables, zone: str, *, inside: bool) -> None:
        self._maker = maker
        self._zone = zone
        self._reader = reader
        self._tables = tables
        self._database = ""
        self._copies: TemporaryDirectory[str] | None = None
        self._inside = inside

    def run(self, sql: str, values: Mapping[str, object], filters: Mapping[str, str | None]) -> Result:
        tree = dialect.parsed(sql)
        read = dialect.tables_of(tree)
        used = [name for name in self._tables.names() if read & {view.path for view in views(name)}] if read else []
        columns = {name: self._tables.columns(name) for name in used}
        files = {name: self._tables.files(name, filters.get(name)) for name in used}
        if used:
            self._create(columns, self._near(files))
        text = dialect.to_clickhouse(tree, values, columns, lambda name: f"{self._database}.{name}", zone=self._zone)
        stream = self._reader.raw_stream(text, fmt="ArrowStream")
        given = pa.ipc.open_stream(stream)
        schema = clickhouse_arrow.told(given.schema, text, self._zone) or self._described(text)
        read_files = sum(map(len, files.values()))
        return Result(schema, _batches(stream, given, schema), close=self.close, files_read=read_files)

    def _described(self, text: str) -> pa.Schema:
        """The types as ClickHouse names them: that costs as much as a small statement.

        The other client asks, as a server lets a client do one thing at a time; the reader has taken the statement, so
        it does nothing but read.
        """
        settings = {**SETTINGS, "session_timezone": self._zone}
        said = ", ".join(f"{name} = {value!r}" for name, value in settings.items() if name != "readonly")
        described = self._maker.query(f"DESCRIBE TABLE ({text}) SETTINGS {said}").result_rows
        return clickhouse_arrow.schema([row[0] for row in described], [row[1] for row in described], self._zone)

    def _near(self, files: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        """The files as this machine has them: copies of what lies elsewhere, which go with the statement."""
        reached = self._tables.filesystem()
        distant = [file for listed in files.values() for file in listed] if reached is not None else []
        if reached is None or not distant:
            return files
        if not self._inside:
            raise QueryError(
                "cannot read a lake in a cloud by a ClickHouse server: it would need the lake's credentials; "
                "use chdb or DuckDB, or let the server read the tables itself"
            )
        self._copies = TemporaryDirectory(prefix="logshed-")
        near = {file: f"{self._copies.name}/{number}.parquet" for number, file in enumerate(distant)}
        reached.get(list(near), list(near.values()))
        return {name: [near[file] for file in listed] for name, listed in files.items()}

    def _create(self, columns: Mapping[str, Sequence[TableColumn]], files: Mapping[str, Sequence[str]]) -> None:
        """Show the tables under names of their own: a statement may read these, and no path."""
        self._database = f"logshed_{secrets.token_hex(8)}"
        self._maker.command(f"CREATE DATABASE {self._database} ENGINE = Memory")
        for table, listed in columns.items():
            place = f"{self._database}.{table}"
            if files[table] and self._tables.renamed(table):
                self._maker.command(f"CREATE VIEW {place} AS {self._by_ids(place, listed, files[table])}")
            else:
                self._create_table(place, [(column.name, column.kind) for column in listed], files[table])

    def _create_table(self, place: str, columns: Sequence[tuple[str, Kind]], files: Sequence[str]) -> None:
        """Show files by the names that they have for columns."""
        typed = ", ".join(f"{_name(name)} {self._type(kind)}" for name, kind in columns)
        source = f"AS file({_glob(files)}, 'Parquet', {_text(typed)})" if files else f"({typed}) ENGINE = Memory"
        self._maker.command(f"CREATE TABLE {place} {source}")

    def _by_ids(self, place: str, columns: Sequence[TableColumn], files: Sequence[str]) -> str:
        """A statement over files of which some have other names for columns: ``file()`` knows no field ids."""
        alike: dict[tuple[str | None, ...], list[str]] = {}
        for file in files:
            called = _names_by_id(file)
            alike.setdefault(tuple(called.get(column.field_id) for column in columns), []).append(file)
        parts = []
        for number, (names, some) in enumerate(alike.items()):
            there = [(name, column.kind) for name, column in zip(names, columns, strict=True) if name]
            self._create_table(f"{place}_{number}", there, some)
            shown = [
                f"{_name(name) if name else self._nothing(column.kind)} AS {_name(column.name)}"
                for name, column in zip(names, columns, strict=True)
            ]
            parts.append(f"SELECT {', '.join(shown)} FROM {place}_{number}")
        return " UNION ALL ".join(parts)

    def _type(self, kind: Kind) -> str:
        return _TYPES[kind].format(zone=self._zone)

    def _nothing(self, kind: Kind) -> str:
        return f"CAST({'map()' if kind == 'map' else 'NULL'} AS {self._type(kind)})"

    def close(self) -> None:
        """Drop what was made for the statement."""
        if self._database:
            self._maker.command(f"DROP DATABASE IF EXISTS {self._database}")
            self._database = ""
        if self._copies is not None:
            self._copies.cleanup()
            self._copies = None


def _client(options: dict[str, Any]) -> Any:
    try:
        import clickhouse_connect  # noqa: PLC0415 - an extra

        return clickhouse_connect.get_client(**options)
    except ImportError as error:
        raise QueryError(
            f"cannot use ClickHouse: {error.name or error} is not installed; pip install 'logshed[clickhouse]'"
        ) from error
    except Exception as error:  # the client raises what its transport does
        raise QueryError(f"cannot reach ClickHouse: {_cause(error)}; check the address and the user") from error


def _reader(options: dict[str, Any], settings: dict[str, object]) -> Any:
    """A client that can do nothing but read."""
    if options.get("interface") != "chdb":
        return _client(options | {"settings": settings})
    reader = _client(options)
    reader.command("SET " + ", ".join(f"{name} = {value!r}" for name, value in settings.items()))
    return reader


def _batches(stream: Any, given: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    try:
        with stream:
            for batch in given:
                yield clickhouse_arrow.fitted(batch, schema)
    except QueryError:
        raise
    except Exception as error:  # the client raises what its transport does
        raise _query_error(error) from error


def _query_error(error: Exception) -> QueryError:
    if isinstance(error, QueryError):
        return error
    return QueryError(f"cannot run the query on ClickHouse: {_cause(error)}; mend the statement, or use DuckDB")


def _cause(error: Exception) -> str:
    text = _TAIL.sub("", _CODE.sub("", str(error))).strip()
    return (text.splitlines() or [type(error).__name__])[0].rstrip(".")


def _glob(files: Sequence[str]) -> str:
    """Exactly these files, as ``file()`` takes them."""
    paths = [file.removeprefix("file://") for file in files]
    odd = next((path for path in paths if set(path) & set("*?{},")), None)
    if odd is not None:
        raise QueryError(f"cannot read {odd} by ClickHouse: its path holds one of * ? {{ }} or a comma; use DuckDB")
    return _text("/{" + ",".join(path.removeprefix("/") for path in paths) + "}") if len(paths) > 1 else _text(paths[0])


def _names_by_id(file: str) -> dict[int, str]:
    """What a data file calls its columns, by their field ids."""
    found = {}
    for field in pq.read_schema(file.removeprefix("file://")):
        number = (field.metadata or {}).get(b"PARQUET:field_id")
        if number is not None:
            found[int(number)] = field.name
    return found


def _name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
