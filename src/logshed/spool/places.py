"""Where the lines of a stream lie, in 40 bytes a frame, since a full spool may hold millions."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.spool.frames import Frame


@dataclass(frozen=True, slots=True)
class Place:
    """Where some lines of a stream lie.

    Attributes:
        segment: The segment's number.
        offset: Where they begin in the stream.
        position: Where they lie in the segment.
        size: Their bytes.
        crc: Their CRC-32C.
    """

    segment: int
    offset: int
    position: int
    size: int
    crc: int


class Places:
    """Where the lines of a stream lie, in their order."""

    def __init__(self) -> None:
        self._segments = array("q")
        self._offsets = array("q")
        self._positions = array("q")
        self._sizes = array("q")
        self._crcs = array("q")

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, number: int) -> Place:
        return Place(
            self._segments[number],
            self._offsets[number],
            self._positions[number],
            self._sizes[number],
            self._crcs[number],
        )

    def add(self, segment: Path, frame: Frame) -> None:
        """Add the place of a frame's lines."""
        self._segments.append(int(segment.stem))
        self._offsets.append(frame.offset)
        self._positions.append(frame.position)
        self._sizes.append(frame.size)
        self._crcs.append(frame.crc)

    def last_before(self, offset: int) -> int:
        """The number of the last place that begins at an offset or before it; -1 where none does."""
        return bisect_right(self._offsets, offset) - 1
