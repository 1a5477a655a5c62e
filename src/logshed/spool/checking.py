"""Checks every byte of a spool, and says in words what is not as it was written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from logshed.spool import disk, marks
from logshed.spool.done import DONE, told
from logshed.spool.extent import EXTENT, is_damaged
from logshed.spool.frames import MAGIC, DamageError, Frame, scan
from logshed.spool.kept_ids import files
from logshed.spool.listing import Listing, listing, name
from logshed.spool.lock import is_written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a spool that is not as it was written.

    Attributes:
        path: The file.
        text: What is wrong with it.
        position: Where it begins.
        size: Bytes up to the next whole frame; 0 where they are not there.
        torn: Whether it is the end that a crash left half written, which was acknowledged to nobody.
        generation: The stream of which it tells, where it is a single one.
    """

    path: Path
    text: str
    position: int = 0
    size: int = 0
    torn: bool = False
    generation: str = ""


def verify(root: Path, *, final: bool | None = None) -> list[Damage]:
    """Read every byte of a spool; where a frame is damaged, go on with the next whole one.

    Args:
        root: Its folder.
        final: Nobody else is writing it; without, the lock tells.

    Raises:
        SpoolError: It cannot be read.
    """
    final = not is_written(root) if final is None else final
    done, known = told(root), listing(root)
    found = [Damage(root / name(number), "is missing.") for number in known.missing]
    checked = _Checked(known, found)
    for segment in known.found:
        checked.look_at(segment, final=final)
    found += [one for path in files(root) for one in _of_ids(path)]
    if is_damaged(root):
        found.append(Damage(root / EXTENT, "is damaged: how far the spool goes is not known."))
    return found + _of_done(root, done, checked.streams, final=final)


def parts(file: BinaryIO, end: int) -> Iterator[Frame | tuple[int, int]]:
    """The whole frames of a segment, and the ranges between them that are none.

    Args:
        file: The segment, opened for reading.
        end: Where it ends.
    """
    position = 0
    while position < end:
        try:
            for frame in scan(file, position=position, end=end, lines=True):
                yield frame
                position = frame.position + frame.size
        except DamageError as damage:
            position = _next(file, damage.position + 1, end)
            yield damage.position, position


class _Checked:
    """What was found in segments that are looked at one after another."""

    def __init__(self, known: Listing, found: list[Damage]) -> None:
        self.streams: dict[str, Frame] = {}
        self._known = known
        self._found = found

    def look_at(self, segment: Path, *, final: bool) -> None:
        try:
            file = segment.open("rb")
        except FileNotFoundError:  # it was emptied into a lake meanwhile, as were those before it
            self.streams.clear()
            return
        with file:
            end = self._known.end(segment, os.fstat(file.fileno()).st_size, final=final)
            self._look_through(segment, parts(file, end), end)

    def _look_through(self, segment: Path, found: Iterator[Frame | tuple[int, int]], end: int) -> None:
        ranges: list[tuple[int, int]] = []
        at = write = until = 0
        for part in found:
            if not isinstance(part, Frame):
                ranges.append(part)
                at = part[1]
                continue
            if marks.is_mark(part) and (told_end := marks.write_end(part, int(segment.stem), at)):
                write, until = at, told_end
            self._take(segment, part, at, explained=bool(self._found or ranges))
            at = part.position + part.size
        if until > end:  # of the last write something is not there
            self._unfinished(segment, ranges, write, until, end)
        elif ranges and ranges[-1][1] == end and self._is_torn(segment, ranges[-1][0], short=True):
            self._told(segment, ranges[:-1])
            self._half(segment, ranges[-1][0], end)
        else:
            self._told(segment, ranges)
            self._lost(segment, self._known.lost(segment, end), end)

    def _unfinished(self, segment: Path, ranges: list[tuple[int, int]], write: int, until: int, end: int) -> None:
        if self._is_torn(segment, write, short=True):
            self._told(segment, [one for one in ranges if one[0] < write])
            self._half(segment, write, end)
        else:
            self._told(segment, ranges)
            self._lost(segment, until - end, end)

    def _is_torn(self, segment: Path, position: int, *, short: bool) -> bool:
        later = (one for one in self._known.found if one > segment)
        return self._known.is_torn(segment, position, short=short) and not any(disk.size(one) for one in later)

    def _told(self, segment: Path, ranges: list[tuple[int, int]]) -> None:
        for begin, end in ranges:
            text = f"{end - begin:,} bytes at byte {begin:,} are damaged."
            self._found.append(Damage(segment, text, begin, end - begin))

    def _half(self, segment: Path, begin: int, end: int) -> None:
        text = (
            f"{end - begin:,} bytes at byte {begin:,} are the half-written end that a crash left; nobody was told that "
            "they are there. The next writer cuts them off."
        )
        self._found.append(Damage(segment, text, begin, end - begin, torn=True))

    def _lost(self, segment: Path, size: int, end: int) -> None:
        if size and not any(one.path == segment and one.position + one.size == end for one in self._found):
            self._found.append(Damage(segment, f"{size:,} bytes are missing at its end.", end))

    def _take(self, segment: Path, frame: Frame, at: int, *, explained: bool) -> None:
        if marks.is_mark(frame):
            return
        end = self.streams[frame.generation].end if frame.generation in self.streams else frame.offset
        if frame.offset < end:
            size = frame.position + frame.size - at
            text = f"{size:,} bytes at byte {at:,} hold lines of {frame.source} that are there already."
            self._found.append(Damage(segment, text, at, size))
            return
        if frame.offset > end and not explained:
            text = f"{frame.offset - end:,} bytes of {frame.source} are missing before byte {at:,}."
            self._found.append(Damage(segment, text, at))
        self.streams[frame.generation] = frame


def _next(file: BinaryIO, position: int, end: int) -> int:
    """Where the next whole frame begins; the segment's end where there is none."""
    file.seek(position)
    rest = file.read(end - position)
    at = rest.find(MAGIC)
    while at >= 0:
        try:
            next(scan(file, position=position + at, end=end, lines=True))
        except DamageError:
            at = rest.find(MAGIC, at + 1)
        else:
            return position + at
    return end


def _of_ids(path: Path) -> list[Damage]:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # its ids were written as one with others meanwhile, or are too old
        return []
    with file:
        ranges = [part for part in parts(file, os.fstat(file.fileno()).st_size) if not isinstance(part, Frame)]
    return [
        Damage(
            path,
            f"{end - begin:,} bytes at byte {begin:,} are damaged: requests whose ids stood there are not known again.",
            begin,
            end - begin,
        )
        for begin, end in ranges
    ]


def _of_done(root: Path, done: Mapping[str, int] | None, streams: Mapping[str, Frame], *, final: bool) -> list[Damage]:
    path = root / DONE
    if done is None:
        return [Damage(path, "cannot be read: nothing is taken away until a lake has noted again what it has.")]
    found = [
        Damage(
            path,
            f"says that a lake has {done[generation]:,} bytes of {frame.source}, more than the {frame.end:,} that the "
            "spool has had of it.",
            generation=generation,
        )
        for generation, frame in streams.items()
        if done.get(generation, 0) > frame.end
    ]
    gone = done.keys() - streams.keys() if final else ()  # a writer may just carry them over to its newest segment
    if gone:
        found.append(Damage(path, f"tells of {len(gone):,} streams that are gone."))
    return found
