"""OTLP logs as JSON: walked once, each record to its line."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import orjson

from logshed.receivers.common.json_text import read_json
from logshed.receivers.common.records import (
    TOO_DEEP,
    UnfitError,
    bounded,
    counted,
    deep,
    flat,
    keyed,
    number,
    stream_of,
    text_of,
)
from logshed.receivers.model import DEEPEST, BadRequestError, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.receivers.common.records import Streams

_LONGEST_NUMBER = 40
"""Characters; no 64-bit integer needs half as many."""
_NO_ID = frozenset("0")


def read_request(body: bytes) -> Any:
    """The object in a body.

    Raises:
        BadRequestError: The body is no JSON object.
    """
    found = read_json(body)
    if not isinstance(found, dict):
        raise BadRequestError(400, "the body is no JSON object")
    return found


def walk(request: Any, now: int, streams: Streams) -> list[Refused]:
    """Give the records of a request to their streams.

    Args:
        request: ``ExportLogsServiceRequest`` as JSON has it.
        now: Nanoseconds since 1970, for records that do not say when they were observed.
        streams: Where the lines go.

    Returns:
        The records that have no line.

    Raises:
        BadRequestError: What stands around the records is not as the protocol has it, or there are too many.
    """
    bounded(sum(len(records) for _, scopes in _resources(request) for _, records in scopes))
    index, refused = 0, []
    for of_resource, scopes in _resources(request):
        resource = _around(of_resource, "resource", ())
        lines = streams.lines(stream_of(resource))
        around = {"resource": orjson.Fragment(orjson.dumps(resource))} if resource else {}
        for of_scope, records in scopes:
            scope = _around(of_scope, "scope", ("name", "version"))
            beside = {**around, "scope": orjson.Fragment(orjson.dumps(scope))} if scope else around
            for record in records:
                try:
                    lines.append(_line(record, beside, now))
                except UnfitError as error:
                    refused.append(Refused(index, str(error), deep(record)))
                index += 1
    return refused


def _resources(request: Any) -> Iterator[tuple[Any, list[tuple[Any, list[Any]]]]]:
    """Each resource with its scopes, each scope with its records."""
    for of_resource in _objects(request, "resourceLogs"):
        scopes = _objects(of_resource, "scopeLogs")
        yield of_resource, [(of_scope, _list(of_scope, "logRecords")) for of_scope in scopes]


def _objects(holder: Any, key: str) -> list[Any]:
    found = _list(holder, key)
    if not all(isinstance(one, dict) for one in found):
        raise BadRequestError(400, f"{key} holds what is no object")
    return found


def _list(holder: Any, key: str) -> list[Any]:
    found = holder.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise BadRequestError(400, f"{key} is no list")
    return found


def _around(holder: Any, key: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The attributes of a resource or a scope, with those of its fields that have a name."""
    found = holder.get(key) or {}
    try:
        if not isinstance(found, dict):
            raise UnfitError("it is no object")  # noqa: TRY301 - the reason is the same kind as those from below
        named = ((name, _text(found.get(name), name)) for name in names)
        attributes = flat([*((name, value) for name, value in named if value), *_pairs(found.get("attributes"))])
        dropped = _integer(found.get("droppedAttributesCount"), "droppedAttributesCount")
        counted(attributes, dropped, _text(holder.get("schemaUrl"), "schemaUrl"))
    except UnfitError as error:
        raise BadRequestError(400, f"a {key} cannot be read: {error}") from None
    return attributes


def _line(record: Any, beside: dict[str, Any], now: int) -> bytes:
    if not isinstance(record, dict):
        raise UnfitError("it is no object")
    line: dict[str, Any] = {"observed_time_unix_nano": now}
    for key, value in record.items():
        field = _FIELDS.get(key)
        if field is not None:
            name, read = field
            found = read(value, key)
            if found is not None:
                line[name] = found
    if dropped := _integer(record.get("droppedAttributesCount"), "droppedAttributesCount"):
        counted(line.setdefault("attributes", {}), dropped)
    line.update(beside)
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _integer(value: Any, key: str) -> Any:
    """A number that is written as one or as text; None where there is none or it is 0, which stands for none.

    Raises:
        UnfitError: It is no whole number.
    """
    return number(_whole(value, key)) or None if value is not None and value != "" else None


def _whole(value: Any, key: str) -> int:
    try:
        if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and value.isascii():
            return int(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise UnfitError(f"{key} is no whole number")


def _text(value: Any, key: str) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    raise UnfitError(f"{key} is no text")


def _id(value: Any, key: str) -> str | None:
    """An id in small letters; one of zeros is none."""
    text = _text(value, key)
    return None if text is None or _NO_ID.issuperset(text) else text.lower()


def _attributes(value: Any, _: str) -> dict[str, Any] | None:
    return flat(_pairs(value)) or None


def _body(value: Any, _: str) -> str | None:
    """A body as text; bytes are mostly a line of a file as it is."""
    plain = _plain(value)
    if plain is None:
        return None
    if isinstance(plain, str) and value.get("bytesValue"):
        try:
            return b64decode(plain, validate=True).decode()
        except ValueError:
            pass
    return text_of(plain)


def _pairs(attributes: Any, depth: int = 1) -> Iterable[tuple[str, Any]]:
    if attributes is None:
        return
    if not isinstance(attributes, list):
        raise UnfitError("attributes are no list")
    for one in attributes:
        if not isinstance(one, dict):
            raise UnfitError("an attribute is no object")
        yield _text(one.get("key"), "a key") or "", _plain(one.get("value"), depth)


def _plain(value: Any, depth: int = 1) -> Any:
    """A value without the name of its type; bytes as the Base64 that they came in."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise UnfitError("a value is no object")
    if depth > DEEPEST:
        raise UnfitError(TOO_DEEP)
    for kind, inner in value.items():
        read = _KINDS.get(kind)
        if read is not None and inner is not None:
            return read(inner, depth)
    return None


def _string(inner: Any, _: int) -> str:
    if not isinstance(inner, str):
        raise UnfitError("a stringValue or bytesValue is no text")
    return inner


def _int(inner: Any, _: int) -> float | str:
    return number(_whole(inner, "an intValue"))


def _double(inner: Any, _: int) -> float | str:
    try:
        if isinstance(inner, (int, float, str)) and not isinstance(inner, bool):
            return number(float(inner))
    except (ValueError, OverflowError):
        pass
    raise UnfitError("a doubleValue is no number")


def _bool(inner: Any, _: int) -> bool:
    if not isinstance(inner, bool):
        raise UnfitError("a boolValue is neither true nor false")
    return inner


def _array(inner: Any, depth: int) -> list[Any]:
    values = inner.get("values") if isinstance(inner, dict) else inner
    if values is not None and not isinstance(values, list):
        raise UnfitError("an arrayValue holds no list")
    return [_plain(one, depth + 1) for one in values or ()]


def _map(inner: Any, depth: int) -> dict[str, Any]:
    return keyed(_pairs(inner.get("values") if isinstance(inner, dict) else inner, depth + 1))


_KINDS = {
    "stringValue": _string,
    "bytesValue": _string,
    "intValue": _int,
    "doubleValue": _double,
    "boolValue": _bool,
    "arrayValue": _array,
    "kvlistValue": _map,
}
"""How a value is read, by the name of its type."""

_FIELDS = {
    "timeUnixNano": ("time_unix_nano", _integer),
    "observedTimeUnixNano": ("observed_time_unix_nano", _integer),
    "severityNumber": ("severity_number", _integer),
    "severityText": ("severity_text", _text),
    "body": ("body", _body),
    "eventName": ("event_name", _text),
    "traceId": ("trace_id", _id),
    "spanId": ("span_id", _id),
    "flags": ("flags", _integer),
    "attributes": ("attributes", _attributes),
}
"""The fields of a record: their names in the line, and how they are read."""
