"""OTLP logs as protobuf: walked once, each record to its line."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from logshed.receivers.common.records import (
    TOO_DEEP,
    UnfitError,
    bounded,
    counted,
    flat,
    keyed,
    number,
    stream_of,
    text_of,
)
from logshed.receivers.model import DEEPEST, MOST_RECORDS, BadRequestError, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import FileDescriptor

    from logshed.receivers.common.records import Streams

_SMALL = 262_144
"""Bytes of a body whose memory need not be thought of, whatever is in it."""
_AS_THEY_ARE = frozenset({"int_value", "bool_value", "string_value"})


def read_request(body: bytes) -> Any:
    """The message in a body; text that is no UTF-8 has replacement characters.

    Raises:
        BadRequestError: The body is no such message, or holds too many records.
    """
    if len(body) > _SMALL:  # an empty record is two bytes, and more than a hundred once it is read
        bounded(_count(body))
    try:
        return ExportLogsServiceRequest.FromString(body)
    except DecodeError:  # perhaps for its text alone
        try:
            loose = _loose().FromString(body)
            _mend(loose)
            return ExportLogsServiceRequest.FromString(loose.SerializeToString())
        except (DecodeError, ValueError):
            raise _unreadable() from None


def walk(request: Any, now: int, streams: Streams) -> list[Refused]:
    """Give the records of a request to their streams.

    Args:
        request: ``ExportLogsServiceRequest``.
        now: Nanoseconds since 1970, for records that do not say when they were observed.
        streams: Where the lines go.

    Returns:
        The records that have no line.

    Raises:
        BadRequestError: It holds too many records.
    """
    bounded(sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs))
    index, refused = 0, []
    for of_resource in request.resource_logs:
        resource = flat(_pairs(of_resource.resource.attributes))
        counted(resource, of_resource.resource.dropped_attributes_count, of_resource.schema_url)
        lines = streams.lines(stream_of(resource))
        around = {"resource": orjson.Fragment(orjson.dumps(resource))} if resource else {}
        for of_scope in of_resource.scope_logs:
            beside = {**around, **_scope(of_scope)}
            for record in of_scope.log_records:
                try:
                    lines.append(_line(record, beside, now))
                except UnfitError as error:
                    refused.append(Refused(index, str(error), record.SerializeToString()))
                index += 1
    return refused


def _scope(of_scope: Any) -> dict[str, Any]:
    scope = of_scope.scope
    named = {"name": scope.name, "version": scope.version}
    found = flat([*((key, value) for key, value in named.items() if value), *_pairs(scope.attributes)])
    counted(found, scope.dropped_attributes_count, of_scope.schema_url)
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


def _unreadable() -> BadRequestError:
    return BadRequestError(400, "the body is no ExportLogsServiceRequest in protobuf")


def _count(body: bytes) -> int:
    """How many resources, scopes and records a body holds, told without reading them; no more is counted than may be.

    Raises:
        BadRequestError: The body is no message.
    """
    found, level = 0, [body]
    for field in ("first", "second", "second"):  # the numbers of resource_logs, scope_logs and log_records
        inside: list[bytes] = []
        for one in level:
            try:
                inner = getattr(_parts().FromString(one), field)
            except DecodeError:
                raise _unreadable() from None
            found += len(inner)
            if found > MOST_RECORDS:
                return found
            inside += inner
        level = inside
    return len(level)


@cache
def _parts() -> Any:
    """A message that takes the fields of any other apart without a look into them."""
    file = descriptor_pb2.FileDescriptorProto(name="parts.proto", syntax="proto3")
    message = file.message_type.add(name="Parts")
    kind = descriptor_pb2.FieldDescriptorProto
    for place, name in enumerate(("first", "second"), 1):
        message.field.add(name=name, number=place, type=kind.TYPE_BYTES, label=kind.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Parts"))


@cache
def _loose() -> type[Message]:
    """The request's class with bytes where it has text: the same on the wire, and no text is checked."""
    pool = descriptor_pool.DescriptorPool()
    _add(pool, ExportLogsServiceRequest.DESCRIPTOR.file, set())
    wanted = pool.FindMessageTypeByName(ExportLogsServiceRequest.DESCRIPTOR.full_name)
    found: type[Message] = message_factory.GetMessageClass(wanted)
    return found


def _add(pool: Any, file: FileDescriptor, done: set[str]) -> None:
    for other in file.dependencies:
        if other.name not in done:
            _add(pool, other, done)
    held = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(held)
    for message in held.message_type:
        for one in message.field:
            if one.type == one.TYPE_STRING:
                one.type = one.TYPE_BYTES
    pool.Add(held)
    done.add(file.name)


def _mend(message: Any) -> None:
    """Replace what is no UTF-8 in text; bytes that were bytes all along stay."""
    strict = _strict(message.DESCRIPTOR.full_name)
    for one, value in message.ListFields():
        many = value if one.is_repeated else [value]
        if one.type == one.TYPE_MESSAGE:
            for inner in many:
                _mend(inner)
        elif one.name in strict:
            mended = [text.decode("utf-8", "replace").encode() for text in many]
            if one.is_repeated:
                value[:] = mended
            else:
                setattr(message, one.name, mended[0])


@cache
def _strict(name: str) -> frozenset[str]:
    """The fields of a message that hold text."""
    found = ExportLogsServiceRequest.DESCRIPTOR.file.pool.FindMessageTypeByName(name)
    return frozenset(one.name for one in found.fields if one.type == one.TYPE_STRING)
