"""Writes a spool: appends what many streams bring, each of it durable or not there at all, and makes room again."""

from __future__ import annotations

import errno
import fcntl
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Self
from uuid import uuid4

import google_crc32c
import orjson

from logshed.errors import SpoolError, SpoolFullError
from logshed.spool import index
from logshed.spool.frames import Frame, packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from logshed.spool.index import Index

LIMIT_BYTES = 2**30
SEGMENT_BYTES = 64 * 2**20
LOCK, DONE = "lock", "done.json"


@dataclass(frozen=True, slots=True)
class Piece:
    """What a stream brings.

    Attributes:
        source: The source's name in the tables.
        collection: The collection of its records.
        lines: Whole records, redacted, each line with its line feed; may be empty where only the cursor moves.
        cursor: Where the collector goes on after them.
        format: The format choice by which they were joined.
        resource: What produced them, sorted pairs.
    """

    source: str
    collection: str
    lines: bytes
    cursor: Mapping[str, Any] = field(default_factory=dict)
    format: str = ""
    resource: tuple[tuple[str, str], ...] = ()


class Spool:
    """A spool that this process writes; no other can meanwhile.

    Args:
        root: Its folder, which is made.
        limit: Bytes that it may take on the disk.
        segment_bytes: Bytes after which a new segment begins.
    """

    def __init__(self, root: Path, *, limit: int = LIMIT_BYTES, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Open it: what a crash left half written is cut off.

        Raises:
            SpoolError: Another process writes it, it cannot be written, or it is damaged.
        """
        self.root = root
        self.limit = limit
        self._segment_bytes = min(segment_bytes, max(limit // 4, 1))
        self._lock = locked(root)
        try:
            self._index = index.read(root)
            if self._index.torn >= 0:
                _cut(list(self._index.segments)[-1], self._index.torn)
                self._index = index.read(root)
        except BaseException:
            self.close()
            raise

    @property
    def index(self) -> Index:
        """What it holds."""
        return self._index

    def cursor(self, source: str, collection: str) -> dict[str, Any]:
        """Where a stream's collector goes on; empty where the stream is new."""
        stream = self._index.streams.get((source, collection))
        return {} if stream is None else dict(stream.cursor)

    def append(self, pieces: Sequence[Piece]) -> None:
        """Write what streams bring, and wait until the disk has it.

        Raises:
            SpoolFullError: There is no room, in the spool or on the disk; nothing was written.
            SpoolError: It cannot be written; nothing of it counts.
        """
        if not pieces:
            return
        frames, ends = [], {key: (one.generation, one.end) for key, one in self._index.streams.items()}
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        for piece in pieces:
            key = (piece.source, piece.collection)
            generation, offset = ends.get(key) or (uuid4().hex[:16], 0)
            frame = Frame(
                *key, generation, offset, len(piece.lines), piece.format, piece.resource, dict(piece.cursor), now
            )
            ends[key] = (generation, frame.end)
            frames.append((frame, packed(frame, piece.lines)))
        self._write(frames)

    def trim(self) -> int:
        """Take away the oldest segments whose lines are all in a lake by now, as ``note_done`` said.

        Returns:
            The bytes that it came to.
        """
        done = read_done(self.root)
        if self._index.segments and self._is_done(list(self._index.segments)[-1], done):
            self._begin_segment()
        freed = 0
        for segment in list(self._index.segments)[:-1]:
            if not self._is_done(segment, done):
                break
            self._write([(frame, packed(frame, b"")) for frame in self._only_in(segment)])
            segment.unlink(missing_ok=True)
            freed += self._index.drop(segment)
        return freed

    def close(self) -> None:
        """Let others write it."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, frames: Sequence[tuple[Frame, bytes]]) -> None:
        """Append frames to the last segment, all or none."""
        size = sum(len(data) for _, data in frames)
        if not size:
            return
        if self._index.bytes + size > self.limit and self._index.bytes - self.trim() + size > self.limit:
            raise SpoolFullError(
                f"cannot write to the spool {self.root}: its limit of {self.limit:,} bytes is reached; empty it into a "
                f"lake with `logshed ingest spool:{self.root}`, or raise the limit"
            )
        if not self._index.segments or list(self._index.segments.values())[-1] >= self._segment_bytes:
            self._begin_segment()
        segment, before = list(self._index.segments.items())[-1]
        _appended(segment, before, b"".join(data for _, data in frames))
        for frame, data in frames:
            at = self._index.segments[segment] + len(data) - frame.size
            self._index.take(
                segment, replace(frame, position=at, crc=google_crc32c.value(data[len(data) - frame.size :]))
            )
            self._index.segments[segment] += len(data)

    def _begin_segment(self) -> None:
        """Begin a new segment, unless the last one is empty."""
        found = list(self._index.segments.items())
        if found and not found[-1][1]:
            return
        number = int(found[-1][0].stem) + 1 if found else 1
        path = self.root / index.name(number)
        path.touch(mode=0o600)
        _sync_folder(self.root)
        self._index.segments[path] = 0

    def _is_done(self, segment: Path, done: Mapping[str, int]) -> bool:
        """Whether all lines of a segment are in a lake."""
        places = (
            (stream, place)
            for stream in self._index.streams.values()
            for place in stream.places
            if place.segment == segment
        )
        return self._index.segments[segment] > 0 and all(
            place.frame.end <= done.get(stream.generation, 0) for stream, place in places
        )

    def _only_in(self, segment: Path) -> list[Frame]:
        """Frames that say once more where collectors go on, of streams that nothing but a segment tells of."""
        return [
            Frame(*key, one.generation, one.end, 0, one.format, one.resource, one.cursor, one.written)
            for key, one in self._index.streams.items()
            if one.newest == segment
        ]


def note_done(root: Path, ends: Mapping[str, int]) -> None:
    """Note how far streams are in a lake, by generation, so that the spool's writer can make room.

    Raises:
        SpoolError: It cannot be written.
    """
    known = read_done(root)
    known |= {generation: max(end, known.get(generation, 0)) for generation, end in ends.items()}
    part = root / f".{DONE}.{os.getpid()}.part"
    try:
        part.write_bytes(orjson.dumps(known))
        part.replace(root / DONE)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SpoolError(f"cannot write {root / DONE}: {error.strerror}; check the disk") from None


def read_done(root: Path) -> dict[str, int]:
    """How far streams are in a lake, by generation; what cannot be read counts as nothing, which only costs room."""
    try:
        return {str(name): int(end) for name, end in orjson.loads((root / DONE).read_bytes()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def locked(root: Path) -> IO[bytes]:
    """Take the right to write a spool; closing what is returned gives it back.

    Raises:
        SpoolError: Another process has it, or the folder cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (root / LOCK).open("ab")
    except OSError as error:
        raise SpoolError(f"cannot open the spool {root}: {error.strerror}; check the path") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise SpoolError(
            f"cannot write the spool {root}: another process writes it; give this one a spool of its own"
        ) from None
    return lock


def _appended(segment: Path, before: int, data: bytes) -> None:
    """Append to a segment and wait for the disk; what went wrong leaves it as it was.

    Raises:
        SpoolFullError: The disk is full.
        SpoolError: It cannot be written.
    """
    try:
        with segment.open("r+b", buffering=0) as file:
            file.seek(before)
            try:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise SpoolFullError(f"cannot write to {segment}: {error.strerror}; free some space") from None
        raise SpoolError(f"cannot write to {segment}: {error.strerror}; check the disk") from None


def _cut(segment: Path, size: int) -> None:
    with segment.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
