"""Loki's push in protobuf, written field by field as ``push.proto`` of Loki describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Entry = tuple[int, str, "Mapping[str, str]"]


def push(*streams: tuple[str, Sequence[Entry]]) -> bytes:
    """A push of streams, each of labels and entries: nanoseconds, line, structured metadata."""
    return b"".join(_field(1, _text(1, labels) + b"".join(map(_entry, entries))) for labels, entries in streams)


def _entry(entry: Entry) -> bytes:
    moment, line, metadata = entry
    seconds, nanos = divmod(moment, 10**9)
    time = b"\x08" + _varint(seconds) + b"\x10" + _varint(nanos)
    pairs = b"".join(_field(3, _text(1, name) + _text(2, value)) for name, value in metadata.items())
    return _field(2, _field(1, time) + _text(2, line) + pairs)


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
