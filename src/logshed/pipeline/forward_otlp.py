"""Records of a lake as OpenTelemetry's: what came by OTLP as it came, else each column under its name there."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from logshed.schema import SILVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

RECEIVED = "received"
"""The format of what came by OTLP and its kin: it says which column is which attribute, and of what."""
UID = "log.record.uid"
_OWN = "logshed."
"""Before the names of columns for which OpenTelemetry has none."""
_FIELDS = frozenset({"timestamp", "observed_timestamp", "severity_text", "severity_number", "body", "event_name"})
_LEFT_OUT = frozenset(
    {
        *_FIELDS, *("trace_id", "span_id", "scope_name", "attributes", "timestamp_source"),
        *("generation", "offset", "item", "batch", "redaction_count", "log_format"),
    }
)  # fmt: skip
_RESOURCE, _SCOPE = "resource.", "scope."
_TRACE, _SPAN = 32, 16
_WHOLE = range(-(2**63), 2**63)


class Name(NamedTuple):
    """What a column is called.

    Attributes:
        of_resource: Whether it is of the resource, and not of the record.
        key: The attribute.
    """

    of_resource: bool
    key: str


def encoded(frame: pl.DataFrame) -> bytes:
    """Records as an ``ExportLogsServiceRequest``.

    Args:
        frame: Columns of ``logs``, ``record_id``, ``line`` (how a record came, where that is one line of its own) and
            ``received`` (whether that line is of the format ``received``).
    """
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (  # noqa: PLC0415 - of the extra `receive`
        ExportLogsServiceRequest,
    )

    request = ExportLogsServiceRequest()
    scopes: dict[bytes, Any] = {}
    for row in frame.iter_rows(named=True):
        found = orjson.loads(row["line"]) if row["received"] else _of_row(row)
        around = {key: found.get(key) or {} for key in ("resource", "scope")}
        key = orjson.dumps(around, option=orjson.OPT_SORT_KEYS)
        records = scopes.get(key)
        if records is None:
            records = scopes[key] = _scope(request, **around)
        _fill(records.add(), found, row["record_id"])
    message: bytes = request.SerializeToString()
    return message


def _scope(request: Any, resource: Mapping[str, Any], scope: Mapping[str, Any]) -> Any:
    """Where the records of a resource and a scope go."""
    of_resource = request.resource_logs.add()
    _attributes(of_resource.resource.attributes, resource)
    made = of_resource.scope_logs.add()
    made.scope.name, made.scope.version = str(scope.get("name", "")), str(scope.get("version", ""))
    _attributes(made.scope.attributes, {key: scope[key] for key in scope if key not in ("name", "version")})
    return made.log_records


def _fill(record: Any, found: Mapping[str, Any], uid: str) -> None:
    record.time_unix_nano = found.get("time_unix_nano", 0)
    record.observed_time_unix_nano = found.get("observed_time_unix_nano", 0)
    record.severity_number = found.get("severity_number", 0)
    record.severity_text = found.get("severity_text", "")
    record.event_name = found.get("event_name", "")
    record.flags = found.get("flags", 0)
    if (body := found.get("body")) is not None:
        record.body.string_value = body
    for name in ("trace_id", "span_id"):
        if value := found.get(name):
            setattr(record, name, bytes.fromhex(value))
    attributes = found.get("attributes") or {}
    _attributes(record.attributes, attributes if UID in attributes else {**attributes, UID: uid})


def _attributes(into: Any, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if value is None:
            into.add(key=key)
        elif isinstance(value, bool):
            into.add(key=key).value.bool_value = value
        elif isinstance(value, int) and value in _WHOLE:
            into.add(key=key).value.int_value = value
        elif isinstance(value, float):
            into.add(key=key).value.double_value = value
        else:
            into.add(key=key).value.string_value = str(value)


def _of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record as the format ``received`` writes it, made of its columns."""
    resource: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    scope: dict[str, Any] = {"name": row["scope_name"]} if row["scope_name"] else {}
    for column, name in names().items():
        if (value := row[column]) is not None:
            (resource if name.of_resource else attributes)[name.key] = value
    for key, value in (row["attributes"] or {}).items():
        if key.startswith(_RESOURCE):
            resource.setdefault(key.removeprefix(_RESOURCE), value)
        elif key.startswith(_SCOPE):
            scope.setdefault(key.removeprefix(_SCOPE), value)
        else:
            attributes.setdefault(key, value)
    found: dict[str, Any] = {"resource": resource, "scope": scope, "attributes": attributes}
    found |= {name: row[name] for name in ("severity_text", "severity_number", "event_name") if row[name]}
    found["time_unix_nano"] = row["timestamp_us"] * 1000
    found["observed_time_unix_nano"] = row["observed_us"] * 1000
    body = row["line"] if row["body"] is None else row["body"]
    found |= {} if body is None else {"body": body}
    for kind, length in (("trace_id", _TRACE), ("span_id", _SPAN)):
        if (value := row[kind]) is not None:
            (found if _is_id(value, length) else attributes)[kind] = value
    return found


def _is_id(value: str, length: int) -> bool:
    return len(value) == length and all(sign in "0123456789abcdefABCDEF" for sign in value)


@cache
def names() -> Mapping[str, Name]:
    """What each column of ``logs`` is called that is an attribute."""
    known = tomllib.loads((files("logshed") / "formats" / f"{RECEIVED}.toml").read_text("utf-8"))["columns"]
    found = {}
    for column in (one.name for one in SILVER):
        if column in _LEFT_OUT:
            continue
        first = next(iter(known.get(column, ())), "")
        _, kind, key = first.split("/", 2) if first.count("/") > 1 else ("", "", "")
        found[column] = Name(kind == "resource", key) if key else Name(False, _OWN + column)
    return found
