"""Saves what lies around damage in a spool; what cannot be saved is kept apart and marked."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from logshed.spool import disk, done, marks
from logshed.spool.checking import Damage, parts, verify
from logshed.spool.extent import Extent, ExtentFile
from logshed.spool.frames import Frame, lines_of, packed
from logshed.spool.healing import DAMAGED, clear, keep_apart, shorten
from logshed.spool.kept_ids import ENDING as IDS
from logshed.spool.listing import listing, name, segments
from logshed.spool.lock import Lock
from logshed.spool.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILLER_BYTES = 2**20
"""Bytes of a line that stands for others, at the most."""
SEGMENT_BYTES = 2**27
"""Bytes that a segment that is gone may have had: one is full at 64 MiB, and takes one more write then."""


def repair(root: Path) -> list[Damage]:
    """Write damaged segments anew, with what of them is whole.

    What is damaged goes to the folder ``damaged`` as it is. Where lines of a stream are gone, lines in their place and
    of their size say so, since what a lake has of the stream is known by offsets. Where it is unknown how far a stream
    went, it goes on as a new one, so that no new line stands at an offset that a lake may have already.

    Returns:
        What was damaged.

    Raises:
        SpoolError: Another process writes the spool, or it cannot be read or written.
    """
    with Lock(root):
        damages = verify(root, final=True)
        try:
            if damages:
                _mend(root, damages)
        except OSError as error:
            raise disk.problem(root, error) from None
    return damages


def _mend(root: Path, damages: list[Damage]) -> None:
    clear(root)
    for one in damages:
        if one.torn:
            shorten(one.path, one.position)
        elif one.size:
            keep_apart(one.path, one.position, one.size)
    streams = _Streams(root)
    missing = listing(root).missing
    for number in sorted({*missing, *(int(path.stem) for path in segments(root))}):
        streams.mend(root / name(number), damages)
    for path in {one.path for one in damages if one.path.suffix == IDS}:
        with path.open("rb") as file:
            disk.put(path, b"".join(_whole(file)))
    _note_extent(root)
    _mend_done(root, damages)
    _go_on_anew(root, streams.unsure | {one.generation for one in damages if one.generation})


class _Streams:
    """How far the streams went in the segments that were mended by now.

    Attributes:
        unsure: Those of which lines may have come after the last that are here.
    """

    def __init__(self, root: Path) -> None:
        self.unsure: set[str] = set()
        self._ends: dict[str, int] = {}
        self._done = done.read_done(root)
        self._lost = 0

    def mend(self, segment: Path, damages: list[Damage]) -> None:
        """Write a segment anew if it is damaged, or lines before it are gone; an empty one for one that is missing."""
        if not segment.exists():
            self._lose(SEGMENT_BYTES)
            disk.put(segment, b"")
            return
        data = []
        own = [one for one in damages if one.path == segment and not one.torn]
        is_changed = bool(own)
        with segment.open("rb") as file:
            for part in parts(file, os.fstat(file.fileno()).st_size):
                if not isinstance(part, Frame):
                    self._lose(part[1] - part[0])
                    continue
                before, is_own = self._before(part)
                is_changed = is_changed or bool(before) or not is_own
                data += [*before, _again(file, part)] if is_own else []
        if any(not one.size for one in own):  # whose lines are missing is not known
            self._lose(SEGMENT_BYTES)
        if is_changed:
            disk.put(segment, b"".join(data))

    def _before(self, frame: Frame) -> tuple[list[bytes], bool]:
        """What stands for lines that are gone before a frame; and whether the frame's own are not there already."""
        if marks.is_mark(frame):
            return [], True
        expected = self._ends.get(frame.generation, self._first(frame))
        if frame.offset < expected:
            return [], False
        self._ends[frame.generation] = frame.end
        self.unsure.discard(frame.generation)
        return [packed(replace(frame, offset=at), filler) for at, filler in _fillers(expected, frame.offset)], True

    def _first(self, frame: Frame) -> int:
        """Where the first frame that is here of a stream was expected: at what a lake has, else lines may be gone."""
        at = self._done.get(frame.generation, 0)
        return at if at <= frame.offset <= at + self._lost else frame.offset

    def _lose(self, size: int) -> None:
        """Take note that so many bytes at the most are gone here, of whichever streams."""
        self._lost += size
        self.unsure = set(self._ends)


def _again(file: BinaryIO, frame: Frame) -> bytes:
    """A frame's bytes, as they may stand elsewhere: a mark keeps its ids, and says nothing of the write any more."""
    if marks.is_mark(frame):
        return marks.bare(marks.ids_of(frame), frame.written)
    return packed(frame, lines_of(file, frame))


def _whole(file: BinaryIO) -> Iterator[bytes]:
    for part in parts(file, os.fstat(file.fileno()).st_size):
        if isinstance(part, Frame):
            yield _again(file, part)


def _fillers(begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Lines that stand for those between two offsets, and where each begins."""
    while begin < end:
        size = min(end - begin, FILLER_BYTES)
        yield begin, _filler(size)
        begin += size


def _filler(size: int) -> bytes:
    """A line of so many bytes that says that they are gone; blank lines where it does not fit."""
    text = f"logshed: {size} bytes of this stream were damaged in the spool".encode()
    return text.ljust(size - 1, b".") + b"\n" if len(text) < size else b"\n" * size


def _mend_done(root: Path, damages: list[Damage]) -> None:
    """Let the note of what a lake has say no more than the spool has had."""
    if done.told(root) is None:
        folder = root / DAMAGED
        folder.mkdir(exist_ok=True, mode=0o700)
        (root / done.DONE).replace(folder / done.DONE)
    ends = {stream.generation: stream.end for stream in read(root, placed=False, final=True).every}
    done.keep_only(root, ends.keys())
    done.lower(root, {one.generation: ends[one.generation] for one in damages if one.generation in ends})


def _go_on_anew(root: Path, generations: set[str]) -> None:
    """Let streams go on as new ones, from where their collectors are."""
    index = read(root, placed=False, final=True)
    again = [
        replace(stream.going_on(), generation=uuid4().hex[:16], offset=0)
        for stream in index.streams.values()
        if stream.generation in generations
    ]
    if again and index.last is not None:
        path = root / name(int(index.last.stem) + 1)
        disk.put(path, b"".join(packed(frame, b"") for frame in again))
        _note_extent(root)


def _note_extent(root: Path) -> None:
    found = segments(root)
    if found:
        extent = ExtentFile(root)
        try:
            last = found[-1]
            extent.write(Extent(int(found[0].stem), int(last.stem), last.stat().st_size), durable=True)
        finally:
            extent.close()
