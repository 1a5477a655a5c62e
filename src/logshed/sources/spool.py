"""The spool as a source: each of its streams is read like a file whose beginning may be gone already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from logshed import spool
from logshed.errors import SpoolError
from logshed.sources.model import Target
from logshed.sources.rawfile import RawFile
from logshed.spool.frames import DamageError, checked
from logshed.spool.listing import name
from logshed.spool.reading import damaged

if TYPE_CHECKING:
    from logshed.spool.index import Index

SPOOL = "spool:"
"""What names of spools begin with."""
_latest: dict[Path, Index] = {}
"""What each spool held when its streams were last listed: opening hundreds of streams looks through it once."""
HELD_FRAMES = 8
"""Frames whose lines are kept in memory, so that going to and fro in a stream reads each once."""


def targets(path: str) -> list[Target]:
    """The streams of a spool that have lines.

    Args:
        path: ``spool:`` and its folder.

    Raises:
        SpoolError: It cannot be read, or it is damaged.
    """
    root = Path(path.removeprefix(SPOOL)).expanduser().resolve()
    found = _latest[root] = spool.read(root)
    return [
        Target(
            path=f"{SPOOL}{root} ({stream.source})",
            source=stream.source,
            locator=f"{SPOOL}{root}#{stream.generation}",
            size=stream.end,
            generation=stream.generation,
            start=stream.start,
            collection=stream.collection,
            format=stream.format,
            resource=stream.resource,
        )
        for stream in found.every
        if stream.places
    ]


def root_of(locator: str) -> Path:
    """The folder of the spool in which a locator's stream lies."""
    return Path(locator.removeprefix(SPOOL).rpartition("#")[0])


class SpoolFile(RawFile):
    """The lines of one stream, at the offsets that they have had from its beginning.

    Args:
        locator: ``spool:``, the spool's folder, ``#`` and the stream's generation.
    """

    def __init__(self, locator: str) -> None:
        """Find the stream.

        Raises:
            SpoolError: There is no such stream any more, or the spool cannot be read.
        """
        root, generation = root_of(locator), locator.rpartition("#")[2]
        known = _latest.get(root)
        stream = known.of_generation(generation) if known else None
        if stream is None:
            stream = spool.read(root).of_generation(generation)
        if stream is None:
            raise SpoolError(f"cannot read {locator}: the spool has no such stream; run it again")
        self.problem = ""
        self.taken = 0
        self._places = stream.places
        self._root = root
        self._end = stream.end
        self._position = stream.start
        self._held: dict[int, bytes] = {}

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        data = self._at(size, self._position)
        self._position += len(data)
        self.taken += len(data)
        return data

    def readinto(self, view: memoryview) -> int:
        """Fill a buffer; the bytes taken, 0 at the end."""
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def seek(self, position: int) -> None:
        """Go to an offset."""
        self._position = position

    def size(self) -> int:
        """Offset after the last line."""
        return self._end

    def inode(self) -> str:
        """None: it is no file."""
        return ""

    def close(self) -> None:
        """Let go of what is held in memory."""
        self._held.clear()

    def _at(self, size: int, position: int) -> bytes:
        """At most ``size`` bytes from an offset on; what is gone already and what is not there yet is nothing."""
        pieces = []
        number = self._places.last_before(position)
        while size and 0 <= number < len(self._places):
            inside = position - self._places[number].offset
            piece = self._lines(number)[inside : inside + size] if inside >= 0 else b""
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
            position += len(piece)
            number += 1
        return b"".join(pieces)

    def _lines(self, number: int) -> bytes:
        if number not in self._held:
            place = self._places[number]
            segment = self._root / name(place.segment)
            try:
                with segment.open("rb") as file:
                    self._held[number] = checked(file, place.position, place.size, place.crc)
            except DamageError as damage:
                raise damaged(segment, damage) from None
            except OSError as error:
                raise SpoolError(f"cannot read {segment}: {error.strerror}; run it again") from None
            while len(self._held) > HELD_FRAMES:
                del self._held[next(iter(self._held))]
        return self._held[number]
