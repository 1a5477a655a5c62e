"""The log record: its columns, their types and their meaning, named as OpenTelemetry names them.

Four tables share this page: ``bronze.lines`` (what was received, redacted), ``silver.logs`` (what it says),
``security.findings`` (what rules and detectors saw in it) and ``security.incidents`` (findings grouped by actor).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["string", "int", "long", "double", "boolean", "timestamptz", "map"]

UNMAPPED = "attributes"
"""The column that takes every field no other column has."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: The column's name, OpenTelemetry's with ``_`` for ``.``.
        kind: Its Iceberg type; ``map`` is ``map<string, string>`` with optional values, ``timestamptz`` has µs.
        meaning: One line that says what it holds, with its unit.
        required: Whether no row may leave it out.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False


BRONZE: tuple[Column, ...] = (
    Column(
        "text",
        "string",
        "the record as received, redacted; its physical lines joined by a line feed",
        required=True,
    ),
    Column("source", "string", "where it came from, such as file:/var/log/nginx/access.log", required=True),
    Column("generation", "string", "which of the files that bore this name over time", required=True),
    Column("offset", "long", "byte offset of the record's first line in the decoded stream", required=True),
    Column("line_count", "int", "physical lines in this record", required=True),
    Column("batch", "string", "the unit of work that stored it (UUIDv7)", required=True),
    Column("observed_timestamp", "timestamptz", "when Logshed read it", required=True),
    Column("collection", "string", "the set of logs it belongs to, with its own owners and permissions", required=True),
    Column("resource", "string", "what produced it, as a JSON object (service.name, log.file.path ...)", required=True),
    Column("format", "string", "the format choice that the source was read with, envelopes first", required=True),
    Column("parse_error", "string", "why no format took it; null where one did"),
    Column("redaction_count", "int", "spans that redaction replaced"),
    Column("cut_bytes", "long", "bytes cut off because a line exceeded max_line_bytes; null where none were"),
    Column("escaped", "boolean", "true where invalid UTF-8 was escaped as \\xNN and backslashes were doubled"),
)

SILVER: tuple[Column, ...] = (
    Column("timestamp", "timestamptz", "when it happened", required=True),
    Column("observed_timestamp", "timestamptz", "when Logshed read it", required=True),
    Column("timestamp_source", "string", "event, inferred_year, inferred_zone or observed"),
    Column("collection", "string", "the set of logs it belongs to, with its own owners and permissions", required=True),
    Column("severity_text", "string", "severity as the log wrote it, in capitals"),
    Column("severity_number", "int", "OpenTelemetry's severity, 1 (TRACE) to 24 (FATAL4)"),
    Column("body", "string", "the message; null where the other columns hold the whole line"),
    Column("event_name", "string", "kind of event, such as PushEvent or ConsoleLogin"),
    Column("event_outcome", "string", "success, failure or unknown"),
    Column("trace_id", "string", "trace that it belongs to"),
    Column("span_id", "string", "span that it belongs to"),
    Column("service_name", "string", "service that wrote it"),
    Column("service_namespace", "string", "group of services"),
    Column("deployment_environment_name", "string", "production, staging ..."),
    Column("host_name", "string", "host that wrote it"),
    Column("process_pid", "long", "process id"),
    Column("thread_name", "string", "thread"),
    Column("scope_name", "string", "the logger"),
    Column("code_file_path", "string", "source file of the log statement"),
    Column("code_line_number", "long", "line in that source file"),
    Column("exception_type", "string", "class of the exception"),
    Column("exception_message", "string", "its message"),
    Column("exception_stacktrace", "string", "its stack trace"),
    Column("container_name", "string", "container"),
    Column("container_id", "string", "container id"),
    Column("k8s_namespace_name", "string", "Kubernetes namespace"),
    Column("k8s_pod_name", "string", "Kubernetes pod"),
    Column("log_iostream", "string", "stdout or stderr"),
    Column("log_file_path", "string", "file it was read from"),
    Column("http_request_method", "string", "GET, POST ..."),
    Column("url_path", "string", "path of the request, without the query"),
    Column("url_query", "string", "query of the request, without the question mark"),
    Column("url_domain", "string", "host that was asked for"),
    Column("network_protocol_version", "string", "1.0, 1.1, 2 ..."),
    Column("http_response_status_code", "int", "status code of the response"),
    Column("http_response_body_size", "long", "bytes of the response's body; null where the log has none"),
    Column("http_referrer", "string", "referring page"),
    Column("user_agent_original", "string", "user agent as sent"),
    Column("duration_ms", "double", "milliseconds that it took"),
    Column("client_address", "string", "address of the client"),
    Column("client_port", "int", "port of the client"),
    Column("server_address", "string", "address or name of the server"),
    Column("user_id", "string", "authenticated user"),
    Column("session_id", "string", "session"),
    Column("cloud_provider", "string", "aws, gcp, azure ..."),
    Column("cloud_account_id", "string", "account or subscription"),
    Column("cloud_region", "string", "region"),
    Column("client_geo_country_iso_code", "string", "country of the client, two letters"),
    Column("client_geo_region", "string", "region of the client"),
    Column("client_geo_locality", "string", "town of the client"),
    Column("client_geo_lat", "double", "latitude in degrees"),
    Column("client_geo_lon", "double", "longitude in degrees"),
    Column("client_as_number", "long", "autonomous system of the client"),
    Column("client_as_name", "string", "its name"),
    Column("client_network", "string", "name of the network that the client is in"),
    Column("client_is_internal", "boolean", "whether the client is in an internal network"),
    Column("client_threat_list", "string", "threat list that names the client, or what it sent"),
    Column(
        "client_risk_level",
        "string",
        "low inside the internal networks, medium outside, high where a threat list names it",
    ),
    Column("url_template", "string", "path with its variable parts named, such as /users/{id}"),
    Column("log_type", "string", "access, application, security, audit, system or performance"),
    Column("user_agent_name", "string", "name of the user agent"),
    Column("user_agent_os", "string", "operating system of the user agent"),
    Column("user_agent_is_bot", "boolean", "whether the user agent is a bot"),
    Column(UNMAPPED, "map", "all other fields, nested ones with dotted names"),
    Column("log_format", "string", "format that took the record"),
    Column("parse_error", "string", "why no format took it; null where one did"),
    Column("redaction_count", "int", "spans that redaction replaced"),
    Column("source", "string", "where it came from", required=True),
    Column("generation", "string", "which of the files that bore this name over time", required=True),
    Column("offset", "long", "byte offset of the record's first line in the decoded stream", required=True),
    Column("item", "int", "index inside an envelope that holds several records, else 0", required=True),
    Column("batch", "string", "the unit of work that stored it (UUIDv7)", required=True),
)

FINDINGS: tuple[Column, ...] = (
    Column(
        "finding_id", "string", "hash of rule, actor and first record; the same when it is found again", required=True
    ),
    Column("timestamp", "timestamptz", "when the first of its records happened", required=True),
    Column("end_timestamp", "timestamptz", "when the last of its records happened", required=True),
    Column("observed_timestamp", "timestamptz", "when it was found", required=True),
    Column("collection", "string", "the set of logs that its records belong to", required=True),
    Column("rule_id", "string", "the rule's UUID", required=True),
    Column("rule_name", "string", "the rule's name, its file's stem", required=True),
    Column("rule_title", "string", "what the rule finds"),
    Column("rule_version", "string", "date and hash of the rule's text", required=True),
    Column("rule_author", "string", "who wrote the rule; its licence may want this shown on every alert"),
    Column("rule_kind", "string", "event, correlation, anomaly, template, objective or query", required=True),
    Column("level", "string", "Sigma's level: informational, low, medium, high or critical", required=True),
    Column("confidence", "string", "high: made to alert; low: counts towards scores only", required=True),
    Column("technique", "string", "MITRE ATT&CK techniques, such as T1110.003, separated by blanks"),
    Column("actor_type", "string", "column that names the actor: client_address, user_id, service_name or host_name"),
    Column("actor", "string", "who did it, or what it happened to"),
    Column("client_address", "string", "address of the client, where its records have one"),
    Column("user_id", "string", "user, where its records have one"),
    Column("service_name", "string", "service, where its records have one"),
    Column("event_count", "long", "records that it is made of", required=True),
    Column("score", "double", "0 to 100, from level, confidence and count", required=True),
    Column("explanation", "string", "what was seen, in a sentence", required=True),
    Column("evidence", "string", "record_id of its records, a JSON array of at most 100"),
    Column(UNMAPPED, "map", "what matched, or the expected range and the history behind it"),
    Column("batch", "string", "the unit of detection that found it (UUIDv7)", required=True),
)

AUDIT: tuple[Column, ...] = (
    Column("timestamp", "timestamptz", "when it was done", required=True),
    Column("sequence", "long", "its number in the chain, from 1 on", required=True),
    Column(
        "collection",
        "string",
        "the set of logs that it was done to; * where it was done to none or to many",
        required=True,
    ),
    Column("actor", "string", "who did it: user and host", required=True),
    Column("verb", "string", "what was done: collect, command, erase, policy ...", required=True),
    Column("target", "string", "what it was done to", required=True),
    Column("outcome", "string", "ok, refused or failed", required=True),
    Column("details", "string", "more of it, a JSON object without secrets"),
    Column("prev_hash", "string", "hash of the entry before it; of the first, 64 zeros", required=True),
    Column("hash", "string", "SHA-256 of the entry with prev_hash", required=True),
)

INCIDENTS: tuple[Column, ...] = (
    Column("incident_id", "string", "hash of collection, actor and first finding", required=True),
    Column("timestamp", "timestamptz", "when the first of its records happened", required=True),
    Column("end_timestamp", "timestamptz", "when the last of its records happened", required=True),
    Column(
        "updated_timestamp", "timestamptz", "when this version of it was written; the newest one holds", required=True
    ),
    Column("collection", "string", "the set of logs that its records belong to", required=True),
    Column("actor_type", "string", "column that names the actor"),
    Column("actor", "string", "who did it, or what it happened to"),
    Column("source_ip", "string", "address of the client, where its findings have one"),
    Column("status", "string", "open, muted or closed", required=True),
    Column("threat_score", "double", "0 to 100: all its findings together", required=True),
    Column("threat_score_max", "double", "0 to 100: the highest of its findings", required=True),
    Column("threat_level", "string", "low, medium, high or critical, by the combined score", required=True),
    Column("severity_level", "string", "the highest level of its findings", required=True),
    Column("event_count", "long", "records that its findings are made of", required=True),
    Column("finding_count", "long", "findings", required=True),
    Column("rules", "string", "names of the rules that made its findings, separated by blanks", required=True),
    Column("timeline", "string", "its findings in order, a JSON array: time, rule, level, count, explanation"),
    Column("notes", "string", "what people wrote on it, a JSON array: time, author, text"),
    Column("muted_until", "timestamptz", "until when it is silent"),
    Column("assignee", "string", "who works on it"),
    Column("batch", "string", "the unit of detection or the command that wrote this version (UUIDv7)", required=True),
)

PROMOTED_TEXTS: dict[Kind, str] = {
    "long": r"^[+-]?[0-9]{1,18}$",
    "double": r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$",
    "boolean": r"^([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])$",
    "timestamptz": r"^[0-9]{4}(-[0-9]{2}){2}[T ][0-9]{2}(:[0-9]{2}){2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$",
}
"""What an attribute must look like to be a value of a type: stricter than engines are, which differ beyond that."""

SILVER_BY_NAME: dict[str, Column] = {column.name: column for column in SILVER}


def polars_type(kind: Kind) -> pl.DataType:
    """The Polars type of a column kind."""
    import polars as pl  # noqa: PLC0415 - heavy, and the names above are wanted without it

    types: dict[Kind, pl.DataType] = {
        "string": pl.String(),
        "int": pl.Int32(),
        "long": pl.Int64(),
        "double": pl.Float64(),
        "boolean": pl.Boolean(),
        "timestamptz": pl.Datetime("us", "UTC"),
        "map": pl.Map(pl.String(), pl.String()),
    }
    return types[kind]


def polars_schema(columns: tuple[Column, ...]) -> dict[str, pl.DataType]:
    """Column names and Polars types, in the table's order."""
    return {column.name: polars_type(column.kind) for column in columns}
