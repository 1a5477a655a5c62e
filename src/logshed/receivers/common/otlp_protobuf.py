"""OTLP logs as protobuf: walked once, each record to its line."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import orjson

from logshed.receivers.common.otlp_wire import one_record, resources
from logshed.receivers.common.records import (
    TOO_DEEP,
    UnfitError,
    counted,
    flat,
    keyed,
    number,
    stream_of,
    text_of,
)
from logshed.receivers.model import DEEPEST, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logshed.receivers.common.records import Streams

_AS_THEY_ARE = frozenset({"int_value", "bool_value", "string_value"})


def walk(body: bytes, now: int, streams: Streams) -> list[Refused]:
    """Give the records of a request to their streams; text that is no UTF-8 has replacement characters.

    Args:
        body: ``ExportLogsServiceRequest``.
        now: Nanoseconds since 1970, for records that do not say when they were observed.
        streams: Where the lines go.

    Returns:
        The records that have no line.

    Raises:
        BadRequestError: The body is no such message, is too large, or holds too many records.
    """
    index, refused = 0, []
    for of_resource, resource_schema, scopes in resources(body):
        resource = flat(_pairs(of_resource.attributes))
        counted(resource, of_resource.dropped_attributes_count, resource_schema)
        lines = streams.lines(stream_of(resource))
        around = {"resource": orjson.Fragment(orjson.dumps(resource))} if resource else {}
        for scope, scope_schema, records in scopes:
            beside = {**around, **_scope(scope, scope_schema)}
            for record in records:
                try:
                    lines.append(_line(record if type(record) is not bytes else one_record(record), beside, now))
                except UnfitError as error:
                    data = record if type(record) is bytes else record.SerializeToString()
                    refused.append(Refused(index, str(error), data))
                index += 1
    return refused


def _scope(scope: Any, schema_url: str) -> dict[str, Any]:
    named = {"name": scope.name, "version": scope.version}
    found = flat([*((key, value) for key, value in named.items() if value), *_pairs(scope.attributes)])
    counted(found, scope.dropped_attributes_count, schema_url)
    return {"scope": orjson.Fragment(orjson.dumps(found))} if found else {}


def _line(record: Any, beside: dict[str, Any], now: int) -> bytes:
    line = beside.copy()
    if moment := record.time_unix_nano:
        line["time_unix_nano"] = moment
    line["observed_time_unix_nano"] = record.observed_time_unix_nano or now
    if severity := record.severity_number:
        line["severity_number"] = severity
    if severity_text := record.severity_text:
        line["severity_text"] = severity_text
    body = record.body
    body = body.string_value or _body(body)
    if body is not None:
        line["body"] = body
    if (trace := record.trace_id) or record.span_id:
        _ids(trace, record.span_id, line)
    if event := record.event_name:
        line["event_name"] = event
    if flags := record.flags:
        line["flags"] = flags
    if attributes := record.attributes:
        line["attributes"] = _attributes(attributes)
    if dropped := record.dropped_attributes_count:
        counted(line.setdefault("attributes", {}), dropped)
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _ids(trace: bytes, span: bytes, line: dict[str, Any]) -> None:
    """Ids in hexadecimal; one of zeros is none."""
    if trace.strip(b"\0"):
        line["trace_id"] = trace.hex()
    if span.strip(b"\0"):
        line["span_id"] = span.hex()


def _attributes(attributes: Any) -> dict[str, Any]:
    found = {}
    for one in attributes:
        value = one.value
        found[one.key] = value.string_value or _attribute(value)
    return found if len(found) == len(attributes) else flat(_pairs(attributes))


def _pairs(attributes: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    return ((one.key, _plain(one.value)) for one in attributes)


def _attribute(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind in _AS_THEY_ARE:
        return getattr(value, kind)
    plain = _plain(value)
    return text_of(plain) if isinstance(plain, (list, dict)) else plain


def _body(value: Any) -> str | None:
    """A body as text; bytes are mostly a line of a file as it is."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "bytes_value":
        try:
            return str(value.bytes_value, "utf-8")
        except UnicodeDecodeError:
            pass
    return text_of(_plain(value))


def _plain(value: Any, depth: int = 1) -> Any:
    """A value as JSON has it; bytes as Base64."""
    if depth > DEEPEST:
        raise UnfitError(TOO_DEEP)
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one, depth + 1) for one in value.array_value.values]
    if kind == "kvlist_value":
        return keyed((one.key, _plain(one.value, depth + 1)) for one in value.kvlist_value.values)
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    if kind == "double_value":
        return number(value.double_value)
    return None if kind is None else getattr(value, kind)
