"""What a search's field names mean: columns of ``logs``, short names for them, and attributes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from logshed.schema import SILVER, SILVER_BY_NAME, UNMAPPED
from logshed.search.model import Mistake
from logshed.search.sql import literal, quoted

FieldKind = Literal["level", "text", "address", "integer", "number", "size", "duration", "time", "boolean", "attribute"]

ALIASES: dict[str, str] = {
    "time": "timestamp",
    "status": "http_response_status_code",
    "service": "service_name",
    "message": "body",
    "path": "url_path",
    "query": "url_query",
    "domain": "url_domain",
    "client": "client_address",
    "ip": "client_address",
    "method": "http_request_method",
    "agent": "user_agent_original",
    "referrer": "http_referrer",
    "user": "user_id",
    "session": "session_id",
    "host": "host_name",
    "size": "http_response_body_size",
    "duration": "duration_ms",
    "logger": "scope_name",
    "exception": "exception_type",
    "country": "client_geo_country_iso_code",
    "trace": "trace_id",
    "span": "span_id",
    "pod": "k8s_pod_name",
    "namespace": "k8s_namespace_name",
    "container": "container_name",
    "file": "log_file_path",
    "pid": "process_pid",
    "thread": "thread_name",
    "event": "event_name",
    "outcome": "event_outcome",
    "env": "deployment_environment_name",
    "format": "log_format",
}
"""Short names; what is no column and none of these has a dot in it or is an attribute by name."""

LEVEL = "level"
RECORD_ID = "record_id"
TEXTS = (
    "body",
    "url_path",
    "url_query",
    "user_agent_original",
    "http_referrer",
    "exception_message",
    "exception_stacktrace",
)
"""Columns in which words are looked for, beside the values of attributes."""

_KINDS: dict[str, FieldKind] = {
    "string": "text",
    "int": "integer",
    "long": "integer",
    "double": "number",
    "boolean": "boolean",
    "timestamptz": "time",
}
_OWN: dict[str, FieldKind] = {
    "http_response_body_size": "size",
    "duration_ms": "duration",
    "client_address": "address",
    "server_address": "address",
}


@dataclass(frozen=True, slots=True)
class Field:
    """What a name in a search means.

    Attributes:
        label: Its column's name or the attribute's key; ``level`` for the level.
        sql: It as an expression of SQL.
        kind: How its values are read and compared.
    """

    label: str
    sql: str
    kind: FieldKind


def field(name: str, at: int = 0, end: int = 0) -> Field:
    """The field of a name.

    Args:
        name: A short name, a column, OpenTelemetry's name of a column with dots, ``attributes.KEY``, or a dotted key.
        at: Where it begins in the search's text.
        end: Where it ends.

    Raises:
        Mistake: There is no such field.
    """
    if name == LEVEL:
        return Field(LEVEL, "severity_number", "level")
    if name == RECORD_ID:
        return Field(name, name, "text")
    key = name.removeprefix(f"{UNMAPPED}.")
    if key != name:
        return _attribute(key, at, end)
    column = ALIASES.get(name, name).replace(".", "_")
    if column in SILVER_BY_NAME and column != UNMAPPED:
        kind = _OWN.get(column) or _KINDS[SILVER_BY_NAME[column].kind]
        return Field(column, quoted(column), kind)
    if "." in name.strip("."):
        return _attribute(name, at, end)
    near = difflib.get_close_matches(name, names(), 1)
    meant = (
        f"did you mean {near[0]} or attributes.{name}"
        if near
        else f"write attributes.{name} for a field without a column"
    )
    raise Mistake(f"there is no field {name}", f"{meant}, or quote it to look for the text", at, end)


def names() -> list[str]:
    """All names of fields with a column, short ones first."""
    return [LEVEL, *ALIASES, *(column.name for column in SILVER if column.name != UNMAPPED), RECORD_ID]


def _attribute(key: str, at: int, end: int) -> Field:
    if not key:
        raise Mistake("the attribute has no name", "write attributes.KEY", at, end)
    return Field(key, f"{UNMAPPED}[{literal(key)}]", "attribute")
