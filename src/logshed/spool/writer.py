"""Writes a spool: appends what many streams bring, each of it durable or not there at all, and makes room again."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import RLock
from typing import IO, TYPE_CHECKING, Any, Self
from uuid import uuid4

import numpy as np
import orjson

from logshed.errors import SpoolError, SpoolFullError
from logshed.spool import disk, index, marks
from logshed.spool.frames import Frame, checksum, head
from logshed.spool.kept_ids import KeptIds
from logshed.spool.window import IDS, IDS_SECONDS, Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from logshed.spool.index import Index
    from logshed.spool.window import Ids, Mask

LIMIT_BYTES = 2**30
SEGMENT_BYTES = 64 * 2**20
LOCK, DONE = "lock", "done.json"
NO_IDS: Ids = np.empty(0, dtype=np.uint64)


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
        ids: So many of the newest ids are remembered.
        ids_seconds: For so long at the most.
    """

    def __init__(
        self,
        root: Path,
        *,
        limit: int = LIMIT_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        ids: int = IDS,
        ids_seconds: float = IDS_SECONDS,
    ) -> None:
        """Open it: what a crash left half written is cut off.

        Raises:
            SpoolError: Another process writes it, it cannot be written, or it is damaged.
        """
        self.root = root
        self.limit = limit
        self._segment_bytes = min(segment_bytes, max(limit // 4, 1))
        self._lock = locked(root)
        self._guard = RLock()
        self._handle = -1
        self._window = Window(ids, ids_seconds)
        self._kept = KeptIds(root, ids)
        try:
            self._kept.read(self._remember)
            self._index = index.read(root, placed=False, marked=self._remember)
            if self._index.torn >= 0:
                segment = self._index.last
                _cut(segment, self._index.torn)
                self._index.segments[segment] = self._index.torn
        except BaseException:
            self.close()
            raise

    @property
    def index(self) -> Index:
        """What it holds; where single lines lie is not in it."""
        return self._index

    def cursor(self, source: str, collection: str) -> dict[str, Any]:
        """Where a stream's collector goes on; empty where the stream is new."""
        stream = self._index.streams.get((source, collection))
        return {} if stream is None else dict(stream.cursor)

    def seen(self, ids: Ids) -> Mask:
        """Which ids were appended lately; it may be asked in any thread.

        Args:
            ids: Hashes, as ``append`` takes them.
        """
        return self._window.seen(ids)

    def append(self, pieces: Sequence[Piece], ids: Ids | None = None) -> None:
        """Write what streams bring, and wait until the disk has it.

        All of it counts, with its ids, or nothing does, whenever the machine stops.

        Args:
            pieces: What they bring.
            ids: Hashes that tell requests and records, so that ``seen`` knows what comes again.

        Raises:
            SpoolFullError: There is no room, in the spool or on the disk; nothing was written.
            SpoolError: It cannot be written; nothing of it counts.
        """
        with self._guard:
            self._write(self._framed(pieces), NO_IDS if ids is None else ids)

    def trim(self) -> int:
        """Take away the oldest segments whose lines are all in a lake by now, as ``note_done`` said.

        Returns:
            The bytes that it came to.

        Raises:
            SpoolError: What is to be kept of them cannot be written.
        """
        with self._guard:
            done = read_done(self.root)
            if self._index.segments and self._is_done(self._index.last, done):
                self._begin_segment()
            freed = 0
            for segment in list(self._index.segments)[:-1]:
                if not self._is_done(segment, done):
                    break
                self._write([(frame, b"") for frame in self._only_in(segment)], NO_IDS, limited=False)
                self._kept.keep(segment, time.time() - self._window.seconds)
                segment.unlink(missing_ok=True)
                freed += self._index.drop(segment)
            return freed

    def close(self) -> None:
        """Let others write it."""
        self._let_go()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _framed(self, pieces: Sequence[Piece]) -> list[tuple[Frame, bytes]]:
        """Pieces as frames at the ends of their streams."""
        framed: list[tuple[Frame, bytes]] = []
        ends: dict[tuple[str, str], tuple[str, int]] = {}
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        for piece in pieces:
            key, lines = (piece.source, piece.collection), piece.lines
            generation, offset = ends.get(key) or self._end(key)
            cursor = dict(piece.cursor)
            frame = Frame(
                *key, generation, offset, len(lines), piece.format, piece.resource, cursor, now, crc=checksum(lines)
            )
            ends[key] = (generation, frame.end)
            framed.append((frame, lines))
        return framed

    def _end(self, key: tuple[str, str]) -> tuple[str, int]:
        stream = self._index.streams.get(key)
        return (uuid4().hex[:16], 0) if stream is None else (stream.generation, stream.end)

    def _write(self, framed: Sequence[tuple[Frame, bytes]], ids: Ids, *, limited: bool = True) -> None:
        """Append frames to the last segment, all or none."""
        if not framed and not ids.size:
            return
        heads = [head(frame) for frame, _ in framed]
        following = sum(map(len, heads)) + sum(frame.size for frame, _ in framed)
        marked = ids.size > 0 or len(framed) > 1  # a single frame is whole or not there as it is
        if limited:
            self._make_room(following + marks.room(ids.size) * marked)
        if not self._index.segments or self._index.segments[self._index.last] >= self._segment_bytes:
            self._begin_segment()
        segment = self._index.last
        at, now = self._index.segments[segment], time.time()
        opening = marks.opening(int(segment.stem), at, following, ids, marks.written(now)) if marked else b""
        pairs = zip(heads, (lines for _, lines in framed), strict=True)
        self._put(segment, at, [opening, *(part for pair in pairs for part in pair)])
        at += len(opening)
        for (frame, _), begin in zip(framed, heads, strict=True):
            self._index.take(segment, replace(frame, position=at + len(begin)))
            at += len(begin) + frame.size
        self._index.segments[segment] = at
        if ids.size:
            self._window.add(ids, now)

    def _make_room(self, size: int) -> None:
        if self._index.bytes + size > self.limit:
            self.trim()
        if self._index.bytes + size > self.limit:
            raise SpoolFullError(
                f"cannot write to the spool {self.root}: its limit of {self.limit:,} bytes is reached; empty it into a "
                f"lake with `logshed ingest spool:{self.root}`, or raise the limit"
            )

    def _put(self, segment: Path, at: int, buffers: Sequence[bytes]) -> None:
        """Append to a segment and wait for the disk; what went wrong leaves it as it was."""
        try:
            if self._handle < 0:
                self._handle = os.open(segment, os.O_WRONLY)
            try:
                disk.write_at(self._handle, at, buffers)
                disk.sync(self._handle)
            except OSError:
                os.ftruncate(self._handle, at)
                raise
        except OSError as error:
            raise disk.problem(segment, error) from None

    def _begin_segment(self) -> None:
        """Begin a new segment, unless the last one is empty."""
        if self._index.segments and not self._index.segments[self._index.last]:
            return
        number = int(self._index.last.stem) + 1 if self._index.segments else 1
        path = self.root / index.name(number)
        try:
            path.touch(mode=0o600)
            disk.sync_folder(self.root)
        except OSError as error:
            raise disk.problem(path, error) from None
        self._let_go()
        self._index.segments[path] = 0
        self._index.last = path

    def _let_go(self) -> None:
        """Close the segment that is written."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _remember(self, mark: Frame) -> None:
        ids, at = marks.ids_of(mark), marks.time_of(mark)
        if ids.size and at >= time.time() - self._window.seconds:
            self._window.add(ids, at)

    def _is_done(self, segment: Path, done: Mapping[str, int]) -> bool:
        """Whether all lines of a segment are in a lake."""
        return self._index.segments[segment] > 0 and all(
            end <= done.get(generation, 0) for generation, end in self._index.ends(segment).items()
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


def _cut(segment: Path, size: int) -> None:
    with segment.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
