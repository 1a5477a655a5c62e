"""What a spool holds: its segments, and of each stream where its lines lie and where its collector goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from logshed.errors import SpoolError
from logshed.spool.frames import DamageError, Frame, scan
from logshed.spool.marks import is_mark, write_end
from logshed.spool.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENDING = ".seg"
DIGITS = 12


@dataclass(slots=True)
class Stream:
    """One stream of a spool.

    Attributes:
        source: Its name in the tables.
        collection: The collection of its records.
        generation: Tells it from all others.
        format: The format choice by which its lines were joined.
        resource: What produced its lines.
        cursor: Where its collector goes on.
        written: When the newest frame was written, ISO 8601 UTC.
        start: Offset of the first line that is still here.
        end: Offset after the last one.
        places: Where its lines lie, in their order; none where the index is a writer's.
        newest: The segment with its newest frame.
    """

    source: str
    collection: str
    generation: str
    format: str = ""
    resource: tuple[tuple[str, str], ...] = ()
    cursor: dict[str, Any] = field(default_factory=dict)
    written: str = ""
    start: int = 0
    end: int = 0
    places: Places = field(default_factory=Places)
    newest: Path = Path()

    def take(self, segment: Path, frame: Frame) -> None:
        """Take the next frame of the stream."""
        if self.start == self.end:
            self.start = frame.offset
        self.end, self.format, self.resource = frame.end, frame.format, frame.resource
        self.cursor, self.written, self.newest = frame.cursor, frame.written, segment


@dataclass(slots=True)
class Index:
    """What a spool holds.

    Attributes:
        root: Its folder.
        streams: By source and collection.
        segments: The segments' files and their bytes, oldest first.
        last: The newest segment's file; none where there is no segment.
        torn: Where the last segment ends in the middle of a write, as after a crash; -1 where it does not.
        placed: Whether streams know where each of their lines lies, which a writer has no use for.
    """

    root: Path
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    segments: dict[Path, int] = field(default_factory=dict)
    last: Path = Path()
    torn: int = -1
    placed: bool = True
    _held: dict[Path, dict[str, tuple[int, int]]] = field(default_factory=dict)
    _by_generation: dict[str, Stream] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Bytes of all segments."""
        return sum(self.segments.values())

    def of_generation(self, generation: str) -> Stream | None:
        """The stream of this generation."""
        return self._by_generation.get(generation)

    def take(self, segment: Path, frame: Frame) -> None:
        """Take the next frame."""
        key = (frame.source, frame.collection)
        stream = self.streams.get(key)
        if stream is None or stream.generation != frame.generation:
            self.forget(key)
            stream = self.streams[key] = Stream(frame.source, frame.collection, frame.generation)
            self._by_generation[frame.generation] = stream
        stream.take(segment, frame)
        if frame.size:
            held = self._held.setdefault(segment, {})
            held[frame.generation] = (held.get(frame.generation, (frame.offset,))[0], frame.end)
            if self.placed:
                stream.places.add(segment, frame)

    def ends(self, segment: Path) -> dict[str, int]:
        """How far each stream's lines go that a segment holds, by generation."""
        return {generation: end for generation, (_, end) in self._held.get(segment, {}).items()}

    def forget(self, key: tuple[str, str]) -> None:
        """Forget a stream, if it is there."""
        stream = self.streams.pop(key, None)
        if stream is not None:
            del self._by_generation[stream.generation]

    def drop(self, segment: Path) -> int:
        """Forget a writer's segment that was taken away: its bytes."""
        for generation in self._held.pop(segment, {}):
            stream = self.of_generation(generation)
            if stream is not None:
                starts = (held[generation][0] for held in self._held.values() if generation in held)
                stream.start = next(starts, stream.end)
        return self.segments.pop(segment)


def segments(root: Path) -> list[Path]:
    """A spool's segments, oldest first.

    Raises:
        SpoolError: The folder cannot be read.
    """
    try:
        return sorted(entry for entry in root.iterdir() if entry.suffix == ENDING and entry.stem.isdigit())
    except OSError as error:
        raise SpoolError(f"cannot read the spool {root}: {error.strerror}; check the path") from None


def name(number: int) -> str:
    """The name of a segment's file."""
    return f"{number:0{DIGITS}d}{ENDING}"


def read(root: Path, *, placed: bool = True, marked: Callable[[Frame], None] | None = None) -> Index:
    """Look through a spool, also while another process writes it: what it is just writing is not there yet.

    Args:
        root: Its folder.
        placed: Note where each line lies.
        marked: Is told of each mark.

    Raises:
        SpoolError: It cannot be read, or a frame is damaged.
    """
    index = Index(root, placed=placed)
    for last, segment in _last_told(segments(root)):
        try:
            with segment.open("rb") as file:
                index.last = segment
                index.segments[segment] = os.fstat(file.fileno()).st_size
                for frame in written(file, int(segment.stem)):
                    if not is_mark(frame):
                        index.take(segment, frame)
                    elif marked is not None:
                        marked(frame)
        except FileNotFoundError:
            index.segments.pop(segment, None)  # it was emptied into a lake meanwhile
        except OSError as error:
            raise SpoolError(f"cannot read {segment}: {error.strerror}; check the disk") from None
        except DamageError as damage:
            if not (last and damage.torn):
                raise damaged(segment, damage) from None
            index.torn = damage.position
    return index


def written(file: BinaryIO, segment: int) -> Iterator[Frame]:
    """The frames of a segment in order, without their lines; of a write that is not whole, none.

    Args:
        file: The segment, opened for reading.
        segment: Its number.

    Raises:
        DamageError: What comes next is no whole frame, or no whole write.
    """
    end, at = file.seek(0, os.SEEK_END), 0
    for frame in scan(file):
        if is_mark(frame) and write_end(frame, segment, at) > end:
            raise DamageError(at, torn=True)
        yield frame
        at = frame.position + frame.size


def damaged(segment: Path, damage: DamageError) -> SpoolError:
    """The error of a segment that is not as it was written."""
    return SpoolError(
        f"cannot read {segment}: it is damaged at {damage}; `logshed spool repair` saves what lies around it"
    )


def _last_told(found: list[Path]) -> Iterator[tuple[bool, Path]]:
    for number, segment in enumerate(found, start=1):
        yield number == len(found), segment
