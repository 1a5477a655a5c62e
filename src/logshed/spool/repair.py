"""Checks every byte of a spool, and saves what lies around damage; what cannot be saved is kept apart and marked."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from logshed.spool.frames import MAGIC, DamageError, Frame, lines_of, packed, scan
from logshed.spool.index import segments
from logshed.spool.marks import bare, ids_of, is_mark
from logshed.spool.writer import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAMAGED = "damaged"
"""Folder in the spool where what could not be read lies."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A place in a segment that is not as it was written.

    Attributes:
        segment: The segment's file.
        position: Where it begins.
        size: Bytes up to the next whole frame.
        torn: Whether it is the end that a crash left half written, which was acknowledged to nobody.
    """

    segment: Path
    position: int
    size: int
    torn: bool


def verify(root: Path) -> list[Damage]:
    """Read every byte of a spool; where a frame is damaged, go on with the next whole one.

    Raises:
        SpoolError: It cannot be read.
    """
    found = []
    every = segments(root)
    for segment in every:
        with segment.open("rb") as file:
            for part in _parts(file):
                if not isinstance(part, Frame):
                    begin, end = part
                    at_end = end == os.fstat(file.fileno()).st_size and segment == every[-1]
                    found.append(Damage(segment, begin, end - begin, torn=at_end and _is_torn(file, begin)))
    return found


def repair(root: Path) -> list[Damage]:
    """Write damaged segments anew, with what of them is whole.

    What is damaged goes to the folder ``damaged`` as it is. Where lines of a stream are gone, a line in their place and
    of their size says so, since what a lake has of the stream is known by offsets.

    Returns:
        What was damaged.

    Raises:
        SpoolError: Another process writes the spool, or it cannot be read.
    """
    with locked(root):
        damages = verify(root)
        ends: dict[str, int] = {}
        for segment in segments(root):
            own = [one for one in damages if one.segment == segment]
            with segment.open("rb") as file:
                data = _mended(file, ends)
                for one in own:
                    _keep_apart(root, file, one)
            if own or data is not None:
                _replace(segment, data or b"".join(_whole(segment)))
    return damages


def _parts(file: BinaryIO) -> Iterator[Frame | tuple[int, int]]:
    """The whole frames of a segment, and the ranges between them that are none."""
    position, end = 0, os.fstat(file.fileno()).st_size
    while position < end:
        try:
            for frame in scan(file, position=position, lines=True):
                yield frame
                position = frame.position + frame.size
        except DamageError as damage:
            position = _next(file, damage.position + 1, end)
            yield damage.position, position


def _next(file: BinaryIO, position: int, end: int) -> int:
    """Where the next whole frame begins; the segment's end where there is none."""
    file.seek(position)
    rest = file.read(end - position)
    at = rest.find(MAGIC)
    while at >= 0:
        try:
            next(scan(file, position=position + at, lines=True))
        except DamageError:
            at = rest.find(MAGIC, at + 1)
        else:
            return position + at
    return end


def _is_torn(file: BinaryIO, position: int) -> bool:
    try:
        next(scan(file, position=position, lines=True))
    except DamageError as damage:
        return damage.torn
    return False


def _whole(segment: Path) -> Iterator[bytes]:
    with segment.open("rb") as file:
        for part in _parts(file):
            if isinstance(part, Frame):
                yield _again(file, part)


def _again(file: BinaryIO, frame: Frame) -> bytes:
    """A frame's bytes, as they may stand elsewhere: a mark keeps its ids, and says nothing of the write any more."""
    if is_mark(frame):
        return bare(ids_of(frame), frame.written)
    return packed(frame, lines_of(file, frame))


def _mended(file: BinaryIO, ends: dict[str, int]) -> bytes | None:
    """A segment with lines that stand for those that are gone; None where none are.

    Args:
        file: The segment.
        ends: Where each generation ended in the segments before; kept up to date.
    """
    data, gone = [], False
    for part in _parts(file):
        if not isinstance(part, Frame):
            continue
        expected = ends.get(part.generation, part.offset)
        if part.offset > expected:
            gone = True
            filler = _filler(part.offset - expected)
            data.append(packed(replace(part, offset=expected, size=len(filler)), filler))
        data.append(_again(file, part))
        ends[part.generation] = part.end
    return b"".join(data) if gone else None


def _filler(size: int) -> bytes:
    """A line of so many bytes that says that they are gone; blank lines where it does not fit."""
    text = f"logshed: {size} bytes of this stream were damaged in the spool".encode()
    return text.ljust(size - 1, b".") + b"\n" if len(text) < size else b"\n" * size


def _keep_apart(root: Path, file: BinaryIO, damage: Damage) -> None:
    folder = root / DAMAGED
    folder.mkdir(exist_ok=True, mode=0o700)
    file.seek(damage.position)
    (folder / f"{damage.segment.stem}-{damage.position}.bin").write_bytes(file.read(damage.size))


def _replace(segment: Path, data: bytes) -> None:
    part = segment.with_suffix(".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(segment)
