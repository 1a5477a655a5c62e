"""OTLP's request as it is on the wire: read whole, or piece by piece where it is so large that memory counts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from logshed.receivers.common.records import UnfitError, bounded
from logshed.receivers.model import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor import FileDescriptor

LARGEST = 20 << 20
"""Bytes of a request; the OpenTelemetry Collector takes as many unless it is told otherwise."""
LARGEST_PIECE = 1 << 20
"""Bytes of a record, a resource or a scope: an attribute is two bytes there, and a hundred and more once it is read."""
SMALL = 1 << 18
"""Bytes of a request whose memory need not be thought of, whatever is in it."""
_TOO_LARGE = f"it is larger than {LARGEST_PIECE >> 20} MiB"
_REQUEST = ExportLogsServiceRequest.DESCRIPTOR.full_name
_LOGS = "opentelemetry.proto.logs.v1."
_RECORD = _LOGS + "LogRecord"
_RESOURCE, _SCOPE = "opentelemetry.proto.resource.v1.Resource", "opentelemetry.proto.common.v1.InstrumentationScope"
Scope = tuple[Any, str, "Iterable[Any]"]
"""A scope, the address of its schema, and its records: messages, or bytes for ``one_record``."""


def resources(body: bytes) -> Iterator[tuple[Any, str, Iterable[Scope]]]:
    """Each resource of a request, the address of its schema, and its scopes.

    Args:
        body: ``ExportLogsServiceRequest``.

    Raises:
        BadRequestError: It is no such message, is too large, or holds too many records.
    """
    if len(body) > LARGEST:
        raise BadRequestError(413, f"it is larger than {LARGEST >> 20} MiB; send less at once")
    if len(body) > SMALL:
        yield from _pieces(body)
        return
    found = _read(_REQUEST, body).resource_logs
    bounded(sum(len(scope.log_records) for one in found for scope in one.scope_logs))
    for one in found:
        yield one.resource, one.schema_url, ((of.scope, of.schema_url, of.log_records) for of in one.scope_logs)


def one_record(data: bytes) -> Any:
    """A record.

    Raises:
        UnfitError: It is too large.
        BadRequestError: It is none.
    """
    if len(data) > LARGEST_PIECE:
        raise UnfitError(_TOO_LARGE)
    return _read(_RECORD, data)


def _pieces(body: bytes) -> Iterator[tuple[Any, str, Iterable[Scope]]]:
    found = [_outline(one) for one in _outline(body).first]
    bounded(sum(len(one.second) for one in found))
    scopes = [[_outline(inner) for inner in one.second] for one in found]
    bounded(sum(len(one.second) for some in scopes for one in some))
    for one, some in zip(found, scopes, strict=True):
        yield _part(_RESOURCE, one.first), _text(one.third), map(_scope, some)


def _scope(outline: Any) -> Scope:
    return _part(_SCOPE, outline.first), _text(outline.third), outline.second


def _part(name: str, data: list[bytes]) -> Any:
    """A message that stands once, in the pieces in which it came."""
    if sum(map(len, data)) > LARGEST_PIECE:
        raise BadRequestError(413, f"the attributes of a resource or a scope: {_TOO_LARGE}")
    return _read(name, b"".join(data))


def _text(data: list[bytes]) -> str:
    return data[-1].decode("utf-8", "replace") if data else ""


def _read(name: str, data: bytes) -> Any:
    """A message; text that is no UTF-8 has replacement characters.

    Raises:
        BadRequestError: It is none.
    """
    strict = _class(name)
    try:
        return strict.FromString(data)
    except DecodeError:  # perhaps for its text alone
        try:
            loose = message_factory.GetMessageClass(_loose().FindMessageTypeByName(name)).FromString(data)
            _mend(loose)
            return strict.FromString(loose.SerializeToString())
        except (DecodeError, ValueError):
            raise _unreadable() from None


@cache
def _class(name: str) -> Any:
    pool = ExportLogsServiceRequest.DESCRIPTOR.file.pool
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def _unreadable() -> BadRequestError:
    return BadRequestError(400, "the body is no ExportLogsServiceRequest in protobuf")


def _outline(data: bytes) -> Any:
    """The first three fields of a message as bytes, which is what the request, its resources and its scopes have.

    Raises:
        BadRequestError: It is no message, or has too many of them.
    """
    try:
        found = _outlined().FromString(data)
    except DecodeError:
        raise _unreadable() from None
    bounded(max(len(found.first), len(found.second)))
    return found


@cache
def _outlined() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="outline.proto", syntax="proto3")
    message = file.message_type.add(name="Outline")
    kind = descriptor_pb2.FieldDescriptorProto
    for place, name in enumerate(("first", "second", "third"), 1):
        message.field.add(name=name, number=place, type=kind.TYPE_BYTES, label=kind.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Outline"))


@cache
def _loose() -> Any:
    """The request's messages with bytes where it has text: the same on the wire, and no text is checked."""
    pool = descriptor_pool.DescriptorPool()
    _add(pool, ExportLogsServiceRequest.DESCRIPTOR.file, set())
    return pool


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
