"""Frames that belong to no stream: they tell how far a write goes, and which ids came with it.

An older reader takes them for frames of a stream without lines, which it passes over.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from logshed.spool.frames import Frame, packed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Ids = NDArray[np.uint64]

SOURCE = "logshed:marks"
"""With no collection, which no stream is without."""
GENERATION = "0" * 16
MOST_IDS = 2**16
"""Ids of a frame, so that its description does not grow beyond what may be one."""
ROOM = 512
"""Bytes that a mark takes at the most, besides its ids."""


def is_mark(frame: Frame) -> bool:
    """Whether a frame belongs to no stream."""
    return frame.source == SOURCE and not frame.collection


def room(ids: int) -> int:
    """Bytes that the marks of a write with so many ids take at the most."""
    return (ids // MOST_IDS + 1) * ROOM + ids * 11


def opening(segment: int, at: int, following: int, ids: Ids, now: str) -> bytes:
    """The marks that a write begins with.

    Args:
        segment: The number of its segment.
        at: Where it begins. Both stand in the mark, so that one that was copied elsewhere says nothing of a write.
        following: Bytes that come after the marks.
        ids: The ids.
        now: When.
    """
    first, *more = _cut(ids)
    rest = b"".join(_mark({"ids": _text(part)}, now) for part in more)
    begins = {"segment": segment, "at": at, "following": len(rest) + following, "ids": _text(first)}
    return _mark(begins, now) + rest


def bare(ids: Ids, now: str) -> bytes:
    """Marks that hold ids and say nothing of a write."""
    return b"".join(_mark({"ids": _text(part)}, now) for part in _cut(ids)) if ids.size else b""


def write_end(mark: Frame, segment: int, at: int) -> int:
    """Where the write that a mark opens ends in its segment; 0 where it opens none.

    Args:
        mark: The mark.
        segment: The number of its segment.
        at: Where it begins.
    """
    told = mark.cursor
    if (told.get("segment"), told.get("at")) != (segment, at):
        return 0
    return mark.position + int(told["following"])


def ids_of(mark: Frame) -> Ids:
    """The ids that a mark holds."""
    return np.frombuffer(base64.b64decode(mark.cursor.get("ids", "")), dtype="<u8").astype(np.uint64, copy=False)


def time_of(mark: Frame) -> float:
    """When its ids came, in seconds of the Unix epoch."""
    return datetime.fromisoformat(mark.written).timestamp()


def written(at: float) -> str:
    """A time as frames have it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _cut(ids: Ids) -> Iterator[Ids]:
    yield ids[:MOST_IDS]
    for begin in range(MOST_IDS, ids.size, MOST_IDS):
        yield ids[begin : begin + MOST_IDS]


def _text(ids: Ids) -> str:
    return base64.b64encode(ids.astype("<u8", copy=False).tobytes()).decode()


def _mark(cursor: dict[str, object], now: str) -> bytes:
    return packed(Frame(SOURCE, "", GENERATION, 0, 0, cursor=cursor, written=now), b"")
