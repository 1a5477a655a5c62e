"""Which segments a spool has, how far each of them counts, and which are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.errors import SpoolError
from logshed.spool.disk import put
from logshed.spool.extent import Extent, read_extent

if TYPE_CHECKING:
    from pathlib import Path

ENDING = ".seg"
CUT = ".cut"
DIGITS = 12
TRIES = 3


@dataclass(frozen=True, slots=True)
class Listing:
    """The segments of a spool.

    Attributes:
        found: Their files, oldest first.
        cuts: Up to which byte those count behind which the disk failed, by number.
        missing: The numbers of those that should be there.
        extent: How far the spool goes, if something tells.
    """

    found: tuple[Path, ...]
    cuts: dict[int, int]
    missing: tuple[int, ...]
    extent: Extent | None

    def end(self, segment: Path, size: int, *, final: bool) -> int:
        """How far a segment counts.

        Args:
            segment: It.
            size: Bytes of its file.
            final: Also count what no writer was told to be on the disk, as one may when none is writing.
        """
        number = int(segment.stem)
        end = min(size, self.cuts.get(number, size))
        if final or self.extent is None or not self.extent.live or number < self.extent.last:
            return end
        return min(end, self.extent.size) if number == self.extent.last else 0

    def is_torn(self, segment: Path, position: int, *, short: bool) -> bool:
        """Whether damage is what a crash left, which nobody was told to be on the disk.

        Args:
            segment: The segment.
            position: Where it begins.
            short: Whether the segment ends before what is there does.
        """
        if self.extent is None:
            return short
        number = int(segment.stem)
        return number > self.extent.last or (number == self.extent.last and position >= self.extent.size)

    def lost(self, segment: Path, end: int) -> int:
        """Bytes that a segment lacks at its end."""
        if self.extent is None or int(segment.stem) != self.extent.last:
            return 0
        return max(self.extent.size - end, 0)


def listing(root: Path) -> Listing:
    """The segments of a spool, also while it is written and emptied.

    Raises:
        SpoolError: The folder cannot be read.
    """
    found = _listing(root)
    for _ in range(TRIES):  # one that was begun while the folder was read may have been passed over
        if not found.missing:
            break
        found = _listing(root)
    return found


def segments(root: Path) -> list[Path]:
    """A spool's segments, oldest first.

    Raises:
        SpoolError: The folder cannot be read.
    """
    return [path for path in _numbered(root) if path.suffix == ENDING]


def name(number: int) -> str:
    """The name of a segment's file."""
    return f"{number:0{DIGITS}d}{ENDING}"


def cut(segment: Path, size: int) -> None:
    """Note that a segment counts up to a byte only.

    Raises:
        SpoolError: It cannot be noted.
    """
    put(segment.with_suffix(CUT), b"%d\n" % size)


def _listing(root: Path) -> Listing:
    before = read_extent(root)
    every = _numbered(root)
    extent = read_extent(root)
    first = 0 if extent is None else extent.first  # older ones are about to be taken away
    found = [path for path in every if path.suffix == ENDING and int(path.stem) >= first]
    sizes = {int(path.stem): _size(path) for path in every if path.suffix == CUT}
    cuts = {number: size for number, size in sizes.items() if size is not None}
    numbers = {int(path.stem) for path in found}
    expected = range(first or min(numbers, default=1), max(0 if before is None else before.last, *numbers, 0) + 1)
    return Listing(tuple(found), cuts, tuple(one for one in expected if one not in numbers), extent)


def _numbered(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.suffix in (ENDING, CUT) and path.stem.isdigit())
    except OSError as error:
        raise SpoolError(f"cannot read the spool {root}: {error.strerror}; check the path") from None


def _size(path: Path) -> int | None:
    try:
        return int(path.read_bytes())
    except FileNotFoundError:  # its segment was cut or taken away meanwhile
        return None
    except (OSError, ValueError) as error:
        raise SpoolError(f"cannot read {path}: {error}; check the disk") from None
