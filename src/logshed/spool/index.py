"""What a spool holds: its segments, and of each stream where its lines lie and where its collector goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logshed.spool.frames import Frame
from logshed.spool.places import Places


@dataclass(slots=True, eq=False)
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

    def going_on(self) -> Frame:
        """A frame without lines that says once more where its collector goes on."""
        return Frame(
            self.source,
            self.collection,
            self.generation,
            self.end,
            0,
            self.format,
            self.resource,
            self.cursor,
            self.written,
        )


@dataclass(slots=True)
class Index:
    """What a spool holds.

    Attributes:
        root: Its folder.
        streams: By source and collection.
        segments: The segments' files and their bytes, oldest first.
        former: Streams that go on under another generation, whose lines are still here.
        newest: Where the newest write begins.
        torn: Where the spool ends in the middle of a write, as after a crash; None where it does not.
        placed: Whether streams know where each of their lines lies, which a writer has no use for.
    """

    root: Path
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    segments: dict[Path, int] = field(default_factory=dict)
    former: list[Stream] = field(default_factory=list)
    newest: tuple[Path, int] | None = None
    torn: tuple[Path, int] | None = None
    placed: bool = True
    _held: dict[Path, dict[str, tuple[int, int]]] = field(default_factory=dict)
    _by_generation: dict[str, Stream] = field(default_factory=dict)

    @property
    def last(self) -> Path | None:
        """The newest segment's file."""
        return next(reversed(self.segments), None)

    @property
    def every(self) -> list[Stream]:
        """All streams."""
        return [*self.former, *self.streams.values()]

    @property
    def bytes(self) -> int:
        """Bytes of all segments."""
        return sum(self.segments.values())

    def of_generation(self, generation: str) -> Stream | None:
        """The stream of this generation."""
        return self._by_generation.get(generation)

    def begin(self, segment: Path, size: int = 0) -> None:
        """Take the next segment."""
        self.segments[segment] = size

    def end(self, frame: Frame) -> int:
        """Where a frame's stream ended before it; where it begins itself if nothing of the stream is here."""
        stream = self.of_generation(frame.generation)
        return frame.offset if stream is None else stream.end

    def take(self, segment: Path, frame: Frame) -> None:
        """Take the next frame."""
        key = (frame.source, frame.collection)
        stream = self.streams.get(key)
        if stream is None or stream.generation != frame.generation:
            if stream is not None:
                self._replace(stream)
            stream = self.streams[key] = Stream(frame.source, frame.collection, frame.generation)
            self._by_generation[frame.generation] = stream
        stream.take(segment, frame)
        if frame.size:
            held = self._held.setdefault(segment, {})
            held[frame.generation] = (held.get(frame.generation, (frame.offset,))[0], frame.end)
            if self.placed:
                stream.places.add(segment, frame)

    def _replace(self, stream: Stream) -> None:
        if stream.start < stream.end:
            self.former.append(stream)
        else:
            del self._by_generation[stream.generation]

    def ends(self, segment: Path) -> dict[str, int]:
        """How far each stream's lines go that a segment holds, by generation."""
        return {generation: end for generation, (_, end) in self._held.get(segment, {}).items()}

    def forget(self, stream: Stream) -> None:
        """Forget a stream."""
        if stream in self.former:
            self.former.remove(stream)
        else:
            del self.streams[stream.source, stream.collection]
        del self._by_generation[stream.generation]

    def drop(self, segment: Path) -> None:
        """Forget a writer's segment that was taken away."""
        for generation in self._held.pop(segment, {}):
            stream = self.of_generation(generation)
            if stream is not None:
                starts = (held[generation][0] for held in self._held.values() if generation in held)
                stream.start = next(starts, stream.end)
                if stream.start == stream.end and stream in self.former:
                    self.forget(stream)
        del self.segments[segment]
