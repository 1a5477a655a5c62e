"""The frames that a segment of the spool is made of: lines of one stream, and where their collector goes on."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO

import google_crc32c
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"LSP1"
HEADER = struct.Struct(">4sIIII")
"""Magic, bytes of the description, bytes of the lines, CRC-32C (RFC 3720) of the description with both sizes, and of
the lines."""
MOST_DESCRIBED = 2**20
"""Bytes of a description; more is no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Lines of one stream as they lie in a segment.

    Attributes:
        source: The source's name in the tables, such as ``docker:web1/shop``.
        collection: The collection of its records.
        generation: Tells this stream of this spool from all others, 16 hex digits.
        offset: Where its lines begin in the stream, in bytes.
        size: Bytes of its lines; 0 where it only says where the collector goes on.
        format: The format choice by which the lines were joined.
        resource: What produced the lines, sorted pairs of OpenTelemetry resource attributes.
        cursor: Where the collector goes on after these lines; what it means is the collector's.
        written: When, ISO 8601 UTC.
        position: Where the lines lie in the segment.
        crc: CRC-32C of the lines.
    """

    source: str
    collection: str
    generation: str
    offset: int
    size: int
    format: str = ""
    resource: tuple[tuple[str, str], ...] = ()
    cursor: dict[str, Any] = field(default_factory=dict)
    written: str = ""
    position: int = 0
    crc: int = 0

    @property
    def end(self) -> int:
        """Offset in the stream after its lines."""
        return self.offset + self.size


class DamageError(Exception):
    """A place in a segment that no whole frame begins at.

    Attributes:
        position: The place.
        torn: Whether the segment ends before the frame does, as after a crash while it was written.
    """

    def __init__(self, position: int, *, torn: bool) -> None:
        super().__init__(f"byte {position:,}")
        self.position = position
        self.torn = torn


def packed(frame: Frame, lines: bytes) -> bytes:
    """A frame's bytes, of these lines."""
    return head(replace(frame, size=len(lines), crc=checksum(lines))) + lines


def checksum(lines: bytes) -> int:
    """CRC-32C of lines."""
    return int(google_crc32c.value(lines))


def head(frame: Frame) -> bytes:
    """What comes before a frame's lines: the header and the description."""
    described = orjson.dumps(
        {
            "source": frame.source,
            "collection": frame.collection,
            "generation": frame.generation,
            "offset": frame.offset,
            "format": frame.format,
            "resource": frame.resource,
            "cursor": frame.cursor,
            "written": frame.written,
        }
    )
    check = _check(len(described), frame.size, described)
    return HEADER.pack(MAGIC, len(described), frame.size, check, frame.crc) + described


def scan(file: BinaryIO, *, position: int = 0, end: int = -1, lines: bool = False) -> Iterator[Frame]:
    """The frames of a segment in order, without their lines.

    Args:
        file: The segment, opened for reading.
        position: Where the first one begins.
        end: Where the segment ends; -1 for the file's end.
        lines: Check the lines too, which means to read them.

    Raises:
        DamageError: What comes next is no whole frame.
    """
    end = file.seek(0, os.SEEK_END) if end < 0 else end
    while position < end:
        frame = _described(file, position, end)
        if lines:
            _check_lines(file, frame, position, end)
        yield frame
        position = frame.position + frame.size


def lines_of(file: BinaryIO, frame: Frame) -> bytes:
    """The lines of a frame.

    Raises:
        DamageError: They are not as they were written.
    """
    return checked(file, frame.position, frame.size, frame.crc)


def checked(file: BinaryIO, position: int, size: int, crc: int) -> bytes:
    """The lines at a place of a segment.

    Raises:
        DamageError: They are not as they were written.
    """
    file.seek(position)
    found = file.read(size)
    if len(found) < size or checksum(found) != crc:
        raise DamageError(position, torn=False)
    return found


def _described(file: BinaryIO, position: int, end: int) -> Frame:
    file.seek(position)
    header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        raise DamageError(position, torn=True)
    magic, described_size, size, head, crc = HEADER.unpack(header)
    if magic != MAGIC or described_size > MOST_DESCRIBED:
        raise DamageError(position, torn=False)
    described = file.read(described_size)
    if len(described) < described_size or _check(described_size, size, described) != head:
        raise DamageError(position, torn=len(described) < described_size)
    begin = position + HEADER.size + described_size
    if begin + size > end:
        raise DamageError(position, torn=True)
    told = orjson.loads(described)
    resource = tuple((str(name), str(value)) for name, value in told.pop("resource"))
    return Frame(**told, resource=resource, size=size, position=begin, crc=crc)


def _check_lines(file: BinaryIO, frame: Frame, position: int, end: int) -> None:
    try:
        lines_of(file, frame)
    except DamageError:
        raise DamageError(position, torn=frame.position + frame.size == end) from None


def _check(described_size: int, size: int, described: bytes) -> int:
    return int(google_crc32c.value(struct.pack(">II", described_size, size) + described))
