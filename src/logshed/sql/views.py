"""What SQL sees: ``logs``, ``lines`` and ``iceberg.analytics.logs``, written once in DuckDB's dialect."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.schema import PROMOTED_TEXTS, UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.schema import Kind
    from logshed.sql.tables import TableColumn

RECORD_ID = "md5(concat({source}, '|', {generation}, '|', CAST({offset} AS VARCHAR), '|', CAST({item} AS VARCHAR)))"
"""A record's name: the same on every engine and after every rewrite of the data files."""

DUCKDB_TYPES: dict[Kind, str] = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "map": "MAP(VARCHAR, VARCHAR)",
}


@dataclass(frozen=True, slots=True)
class View:
    """A name that statements can read.

    Attributes:
        schema: Its schema; empty for the default one.
        name: Its name.
        table: The short name of the table that it shows.
        extra: Columns that it adds: name and expression, the table's columns in braces.
        whole: Whether the table's own columns are shown.
        newest: A row's name and its time, where a table holds several versions of a row: the newest is shown.
    """

    schema: str
    name: str
    table: str
    extra: tuple[tuple[str, str], ...] = ()
    whole: bool = True
    newest: tuple[str, str] | None = None

    @property
    def path(self) -> str:
        """The name as a statement writes it."""
        return f"iceberg.{self.schema}.{self.name}" if self.schema else self.name

    def select(self, names: Mapping[str, str], source: str) -> str:
        """The view's statement over ``source``, in one step: DuckDB pushes fewer filters through two.

        Args:
            names: The table's columns in order, each with what ``source`` calls it.
            source: What follows FROM.
        """
        shown = [f"{own} AS {quoted(name)}" for name, own in names.items()] if self.whole else []
        shown += [f"{expression} AS {quoted(name)}" for name, expression in self.expressions(names).items()]
        return f"SELECT {', '.join(shown)} FROM {source}{self._newest(names)}"

    def _newest(self, names: Mapping[str, str]) -> str:
        if self.newest is None:
            return ""
        row, time = (names[name] for name in self.newest)
        return f" QUALIFY row_number() OVER (PARTITION BY {row} ORDER BY {time} DESC, {names['batch']} DESC) = 1"

    def expressions(self, names: Mapping[str, str]) -> dict[str, str]:
        """The added columns' expressions, the table's columns called as ``names`` says."""
        return {name: expression.format_map(names) for name, expression in self.extra}

    def columns(self, columns: Sequence[TableColumn]) -> list[str]:
        """The names of the view's columns."""
        own = [column.name for column in columns] if self.whole else []
        return own + [name for name, _ in self.extra]


_STATUS, _SIZE = "{http_response_status_code}", "{http_response_body_size}"
ANALYTICS: tuple[tuple[str, str], ...] = (
    ("timestamp", "{timestamp}"),
    ("level", "{severity_text}"),
    ("message", "{body}"),
    ("logger", "{scope_name}"),
    ("exception_class", "{exception_type}"),
    ("partition_date", "CAST({timestamp} AT TIME ZONE 'UTC' AS DATE)"),
    ("service", "{service_name}"),
    ("http_status", "{http_response_status_code}"),
    ("http_method", "{http_request_method}"),
    ("http_path", "{url_path}"),
    ("response_size", f"CASE WHEN {_STATUS} IS NULL THEN {_SIZE} ELSE coalesce({_SIZE}, 0) END"),
    ("latency_ms", "{duration_ms}"),
    ("client_ip", "{client_address}"),
    ("is_error", "CAST({http_response_status_code} >= 400 AS BOOLEAN)"),
    ("hour", "CAST(extract(hour FROM {timestamp} AT TIME ZONE 'UTC') AS INTEGER)"),
    ("is_security_endpoint", "CAST({url_path} LIKE '%/api/%' AS BOOLEAN)"),
)
"""The older platforms' names. A response without a size counts 0 bytes here; in ``logs`` it is NULL."""


_VERSIONED = {"findings": ("finding_id", "observed_timestamp"), "incidents": ("incident_id", "updated_timestamp")}
"""Tables that are only ever added to, a row that changes too."""


def named(columns: Sequence[TableColumn], own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Each column with what tells it: itself, or, where it was an attribute once, the attribute in files without it.

    Args:
        columns: The columns.
        own: What the source calls them; their names by default.
    """
    called = own or {column.name: quoted(column.name) for column in columns}
    return {
        column.name: called[column.name] if column.attribute is None else _promoted(column, called)
        for column in columns
    }


def _promoted(column: TableColumn, called: Mapping[str, str]) -> str:
    text = f"{called[UNMAPPED]}[{literal(column.attribute or '')}]"
    if column.kind == "string":
        value = text
    else:
        cast = (
            f"lower({text}) = 'true'"
            if column.kind == "boolean"
            else f"TRY_CAST({text} AS {DUCKDB_TYPES[column.kind]})"
        )
        value = f"CASE WHEN regexp_matches({text}, {literal(PROMOTED_TEXTS[column.kind])}) THEN {cast} END"
    return f"coalesce({called[column.name]}, {value})"


def views(table: str) -> tuple[View, ...]:
    """The views over a table: itself under its short name, and what is derived from it."""
    if table != "logs":
        return (View("", table, table, newest=_VERSIONED.get(table)),)
    return (
        View("", "logs", "logs", extra=(("record_id", RECORD_ID),)),
        View("analytics", "logs", "logs", extra=ANALYTICS, whole=False),
    )


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def record_id(source: str, generation: str, offset: int, item: int) -> str:
    """The ``record_id`` that the view computes, in Python."""
    text = f"{source}|{generation}|{offset}|{item}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
