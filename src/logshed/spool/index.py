"""What a spool holds: its segments, and of each stream where its lines lie and where its collector goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logshed.errors import SpoolError
from logshed.spool.frames import DamageError, Frame, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = ".seg"
DIGITS = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where some lines of a stream lie.

    Attributes:
        segment: The segment's file.
        frame: The frame.
    """

    segment: Path
    frame: Frame


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
        places: Where its lines lie, in their order.
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
    places: list[Place] = field(default_factory=list)
    newest: Path = Path()

    def take(self, segment: Path, frame: Frame) -> None:
        """Take the next frame of the stream."""
        if not self.places:
            self.start = frame.offset
        if frame.size:
            self.places.append(Place(segment, frame))
        self.end, self.format, self.resource = frame.end, frame.format, frame.resource
        self.cursor, self.written, self.newest = frame.cursor, frame.written, segment


@dataclass(slots=True)
class Index:
    """What a spool holds.

    Attributes:
        root: Its folder.
        streams: By source and collection.
        segments: The segments' files and their bytes, oldest first.
        torn: Where the last segment ends in the middle of a frame, as after a crash; -1 where it does not.
    """

    root: Path
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    segments: dict[Path, int] = field(default_factory=dict)
    torn: int = -1
    _by_generation: dict[str, Stream] | None = None

    @property
    def bytes(self) -> int:
        """Bytes of all segments."""
        return sum(self.segments.values())

    def of_generation(self, generation: str) -> Stream | None:
        """The stream of this generation."""
        if self._by_generation is None or len(self._by_generation) != len(self.streams):
            self._by_generation = {one.generation: one for one in self.streams.values()}
        return self._by_generation.get(generation)

    def take(self, segment: Path, frame: Frame) -> None:
        """Take the next frame."""
        key = (frame.source, frame.collection)
        stream = self.streams.get(key)
        if stream is None or stream.generation != frame.generation:
            stream = self.streams[key] = Stream(frame.source, frame.collection, frame.generation)
        stream.take(segment, frame)

    def drop(self, segment: Path) -> int:
        """Forget a segment that was taken away: its bytes."""
        for stream in self.streams.values():
            stream.places = [place for place in stream.places if place.segment != segment]
            stream.start = stream.places[0].frame.offset if stream.places else stream.end
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


def read(root: Path) -> Index:
    """Look through a spool, also while another process writes it: what it is just writing is not there yet.

    Raises:
        SpoolError: It cannot be read, or a frame is damaged.
    """
    index = Index(root)
    for last, segment in _last_told(segments(root)):
        try:
            with segment.open("rb") as file:
                index.segments[segment] = os.fstat(file.fileno()).st_size
                for frame in scan(file):
                    index.take(segment, frame)
        except FileNotFoundError:
            index.segments.pop(segment, None)  # it was emptied into a lake meanwhile
        except OSError as error:
            raise SpoolError(f"cannot read {segment}: {error.strerror}; check the disk") from None
        except DamageError as damage:
            if not (last and damage.torn):
                raise damaged(segment, damage) from None
            index.torn = damage.position
    return index


def damaged(segment: Path, damage: DamageError) -> SpoolError:
    """The error of a segment that is not as it was written."""
    return SpoolError(
        f"cannot read {segment}: it is damaged at {damage}; `logshed spool repair` saves what lies around it"
    )


def _last_told(found: list[Path]) -> Iterator[tuple[bool, Path]]:
    for number, segment in enumerate(found, start=1):
        yield number == len(found), segment
