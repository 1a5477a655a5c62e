"""Writes a spool: appends what many streams bring, each of it durable or not there at all, and makes room again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import numpy as np

from logshed.errors import SpoolError, SpoolFullError
from logshed.spool import marks, reserve
from logshed.spool.done import keep_only, read_done
from logshed.spool.frames import MOST_DESCRIBED, Frame, checksum, head
from logshed.spool.healing import healed
from logshed.spool.kept_ids import KeptIds
from logshed.spool.listing import CUT
from logshed.spool.lock import Lock
from logshed.spool.reading import read
from logshed.spool.tail import Tail
from logshed.spool.window import IDS, IDS_SECONDS, Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from logshed.spool.index import Index, Stream
    from logshed.spool.marks import Ids
    from logshed.spool.window import Mask

LIMIT_BYTES = 2**30
SEGMENT_BYTES = 64 * 2**20
FORGET_S = 86_400.0
"""Seconds after which a stream is forgotten whose lines are in a lake and whose collector has nowhere to go on."""
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
        self._lock = Lock(root)
        self._guard = RLock()
        self._tail: Tail | None = None
        try:
            self._window, self._kept, self._index = self._read(ids, ids_seconds)
            self._tail = Tail(self._index)
            self._tail.note()
            reserve.hold(root, limit)
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
            before = self._index.bytes
            try:
                self._trim()
            except SpoolFullError:
                reserve.give_up(self.root)
                self._trim()
            reserve.hold(self.root, self.limit)
            return max(before - self._index.bytes, 0)

    def close(self) -> None:
        """Let others write it."""
        if self._tail is not None:
            self._tail.close()
            self._tail = None
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
        heads = [_head(frame) for frame, _ in framed]
        following = sum(map(len, heads)) + sum(frame.size for frame, _ in framed)
        marked = ids.size > 0 or len(framed) > 1  # a single frame is whole or not there as it is
        if limited:
            self._make_room(following + marks.room(ids.size) * marked)
        segment = self._writing.ready(self._segment_bytes)
        at, now = self._index.segments[segment], time.time()
        opening = marks.opening(int(segment.stem), at, following, ids, marks.written(now)) if marked else b""
        pairs = zip(heads, (lines for _, lines in framed), strict=True)
        self._writing.put(segment, [opening, *(part for pair in pairs for part in pair)])
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

    def _read(self, ids: int, seconds: float) -> tuple[Window, KeptIds, Index]:
        """What it holds, after what is not whole at its end was taken away."""
        while True:
            window, kept = Window(ids, seconds), KeptIds(self.root, ids)
            kept.read(window.remember)
            found = read(self.root, placed=False, marked=window.remember, final=True)
            if healed(found):
                return window, kept, found

    @property
    def _writing(self) -> Tail:
        if self._tail is None:
            raise SpoolError(f"cannot write the spool {self.root}: it is closed; open it again")
        return self._tail

    def _trim(self) -> None:
        done, last = read_done(self.root), self._index.last
        if last is not None and self._index.ends(last) and self._is_done(last, done):
            self._writing.begin()  # not for cursors alone, or they would be written again each time
        is_less = False
        for segment in list(self._index.segments)[:-1]:
            if not self._is_done(segment, done):
                break
            self._take_away(segment)
            is_less = True
        if is_less:
            keep_only(self.root, {stream.generation for stream in self._index.every})

    def _take_away(self, segment: Path) -> None:
        """Take away the oldest segment."""
        now = time.time()
        only = [stream for stream in self._index.streams.values() if stream.newest == segment]
        silent = [one for one in only if not one.cursor and _age(one, now) > FORGET_S]
        going_on = [stream.going_on() for stream in only if stream not in silent]
        self._write([(frame, b"") for frame in going_on], NO_IDS, limited=False)
        self._kept.keep(segment, self._index.segments[segment], now - self._window.seconds)
        self._index.drop(segment)
        for stream in silent:
            self._index.forget(stream)
        self._writing.note()  # before the file goes, so that it is not missed
        segment.unlink(missing_ok=True)
        segment.with_suffix(CUT).unlink(missing_ok=True)

    def _is_done(self, segment: Path, done: Mapping[str, int]) -> bool:
        """Whether all lines of a segment are in a lake."""
        return all(end <= done.get(generation, 0) for generation, end in self._index.ends(segment).items())


def _head(frame: Frame) -> bytes:
    found = head(frame)
    if len(found) > MOST_DESCRIBED:
        raise SpoolError(
            f"cannot write lines of {frame.source[:80]} to the spool: what describes them takes {len(found):,} bytes, "
            f"more than {MOST_DESCRIBED:,}; send less with them"
        )
    return found


def _age(stream: Stream, now: float) -> float:
    return now - datetime.fromisoformat(stream.written).timestamp()
