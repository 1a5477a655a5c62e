"""Loki's push message in protobuf, as a class made from its fields.

Text is declared as bytes, which is the same on the wire: a line that is no UTF-8 is kept with replacement characters,
where the reader would refuse the whole message.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from logshed.receivers.common.records import bounded
from logshed.receivers.model import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PACKAGE = "logshed.loki"
SMALL = 1 << 20
"""Bytes of a message whose memory need not be thought of, whatever is in it."""
_MOST_PAIRS = 10_000
_MESSAGES: dict[str, tuple[tuple[str, int, str], ...]] = {
    "Time": (("seconds", 1, "int64"), ("nanos", 2, "int32")),
    "Pair": (("name", 1, "bytes"), ("value", 2, "bytes")),
    "Entry": (("timestamp", 1, "Time"), ("line", 2, "bytes"), ("metadata", 3, "Pair*")),
    "Stream": (("labels", 1, "bytes"), ("entries", 2, "Entry*")),
    "Push": (("streams", 1, "Stream*"),),
    "PushOutline": (("streams", 1, "bytes*"),),
    "StreamOutline": (("labels", 1, "bytes"), ("entries", 2, "bytes*")),
    "EntryOutline": (("metadata", 3, "bytes*"),),
}
"""Name, number and type of each field; the star is for those that repeat."""
_PLAIN = {
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
}


def read_push(body: bytes) -> Iterator[tuple[bytes, Iterable[Any]]]:
    """The labels and the entries of each stream in a body.

    A large one is taken apart level by level, since an empty entry is two bytes in it and a hundred in memory.

    Raises:
        BadRequestError: It is no push, or holds too many records.
    """
    if len(body) <= SMALL:
        streams = _read("Push", body).streams
        bounded(len(streams))
        for stream in streams:
            yield stream.labels, stream.entries
    else:
        streams = _read("PushOutline", body).streams
        bounded(len(streams))
        yield from map(_stream, streams)


def _stream(data: bytes) -> tuple[bytes, Iterable[Any]]:
    if len(data) <= SMALL:
        stream = _read("Stream", data)
        return stream.labels, stream.entries
    outline = _read("StreamOutline", data)
    bounded(len(outline.entries))
    return outline.labels, map(_entry, outline.entries)


def _entry(data: bytes) -> Any:
    if len(data) > SMALL:
        few(_read("EntryOutline", data).metadata)
    return _read("Entry", data)


def few(metadata: Any) -> Any:
    """The metadata of an entry.

    Raises:
        BadRequestError: It has too many pairs.
    """
    if len(metadata) > _MOST_PAIRS:
        raise BadRequestError(400, f"an entry has more than {_MOST_PAIRS} pairs of metadata; send fewer")
    return metadata


def _read(name: str, data: bytes) -> Any:
    try:
        return message(name).FromString(data)
    except DecodeError:
        raise BadRequestError(400, "cannot read the push: it is no PushRequest in protobuf") from None


@cache
def message(name: str) -> Any:
    """The class of a message."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@cache
def _pool() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="logshed/loki.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        of = file.message_type.add(name=name)
        for field, number, kind in fields:
            _add(of, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _add(of: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    labels = descriptor_pb2.FieldDescriptorProto
    one = of.field.add(
        name=name, number=number, label=labels.LABEL_REPEATED if kind.endswith("*") else labels.LABEL_OPTIONAL
    )
    kind = kind.removesuffix("*")
    if kind in _PLAIN:
        one.type = _PLAIN[kind]
    else:
        one.type, one.type_name = labels.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
