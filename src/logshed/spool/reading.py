"""Looks through a spool, also while another process writes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from logshed.errors import SpoolError
from logshed.spool.frames import DamageError, Frame, scan
from logshed.spool.index import Index
from logshed.spool.listing import listing
from logshed.spool.marks import is_mark, write_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from logshed.spool.listing import Listing

TRIES = 5
"""How often a spool is looked through from its beginning that is emptied meanwhile."""


@dataclass(frozen=True, slots=True)
class Write:
    """What was written at once.

    Attributes:
        begin: Where it begins in its segment.
        frames: What it holds.
    """

    begin: int
    frames: tuple[Frame, ...]


def read(
    root: Path, *, placed: bool = True, marked: Callable[[Frame], None] | None = None, final: bool = False
) -> Index:
    """What a spool holds. What another process is just writing is not there yet.

    Args:
        root: Its folder.
        placed: Note where each line lies.
        marked: Is told of each mark.
        final: Nobody is writing: what a writer left that was not told whether the disk has it counts, too.

    Raises:
        SpoolError: It cannot be read, or it is damaged.
    """
    for _ in range(TRIES):
        try:
            return _read(Index(root, placed=placed), listing(root), marked, final=final)
        except FileNotFoundError:  # it was emptied into a lake while it was looked through
            continue
    raise SpoolError(f"cannot read the spool {root}: it is emptied faster than it can be looked through; run it again")


def writes(file: BinaryIO, segment: int, end: int) -> Iterator[Write]:
    """What was written to a segment, in order, without the lines; of a write that is not whole, nothing.

    Args:
        file: The segment, opened for reading.
        segment: Its number.
        end: Where it ends.

    Raises:
        DamageError: What comes next is no whole write; the place is its beginning.
    """
    frames: list[Frame] = []
    begin = at = until = 0
    try:
        for frame in scan(file, end=end):
            if not frames:
                until = _until(frame, segment, at, end)
            frames.append(frame)
            at = frame.position + frame.size
            if at >= until:
                yield Write(begin, tuple(frames))
                frames, begin = [], at
    except DamageError as damage:
        raise DamageError(begin, torn=damage.torn) from None


def _until(frame: Frame, segment: int, at: int, end: int) -> int:
    until = write_end(frame, segment, at) if is_mark(frame) else 0
    if until > end:
        raise DamageError(at, torn=True)
    return until


def damaged(segment: Path, damage: DamageError) -> SpoolError:
    """The error of a segment that is not as it was written."""
    return SpoolError(
        f"cannot read {segment}: it is damaged at {damage}; `logshed spool repair` saves what lies around it"
    )


def missing(root: Path, numbers: Iterable[int]) -> SpoolError:
    """The error of a spool of which segments are gone."""
    told = ", ".join(str(number) for number in numbers)
    return SpoolError(
        f"cannot read the spool {root}: segments {told} are missing; put them back, or go on without them by "
        "`logshed spool repair`"
    )


def _read(index: Index, known: Listing, marked: Callable[[Frame], None] | None, *, final: bool) -> Index:
    if known.missing:
        raise missing(index.root, known.missing)
    for segment in known.found:
        try:
            with segment.open("rb") as file:
                end = known.end(segment, os.fstat(file.fileno()).st_size, final=final)
                index.begin(segment, end)
                _take(index, known, segment, writes(file, int(segment.stem), end), marked)
            if index.torn is None and known.lost(segment, end):
                raise damaged(segment, DamageError(end, torn=True))
        except FileNotFoundError:
            if index.segments:  # those before it are gone, too
                raise
        except OSError as error:
            raise SpoolError(f"cannot read {segment}: {error.strerror}; check the disk") from None
    return index


def _take(
    index: Index, known: Listing, segment: Path, found: Iterable[Write], marked: Callable[[Frame], None] | None
) -> None:
    """Take the writes of a segment. What is not whole is the end that a crash left, if nothing comes after it."""
    try:
        for write in found:
            _check_torn(index)
            _check_follows(index, write)
            for frame in write.frames:
                if not is_mark(frame):
                    index.take(segment, frame)
                elif marked is not None:
                    marked(frame)
            index.newest = (segment, write.begin)
    except DamageError as damage:
        if index.torn is not None or not known.is_torn(segment, damage.position, short=damage.torn):
            raise damaged(segment, damage) from None
        index.torn = (segment, damage.position)


def _check_torn(index: Index) -> None:
    """Check that nothing comes after what is not whole."""
    if index.torn is not None:
        raise damaged(index.torn[0], DamageError(index.torn[1], torn=True))


def _check_follows(index: Index, write: Write) -> None:
    """Check that each frame begins where its stream ended."""
    ends: dict[str, int] = {}
    for frame in write.frames:
        if frame.offset != ends.get(frame.generation, index.end(frame)):
            raise DamageError(write.begin, torn=False)
        ends[frame.generation] = frame.end
