"""Takes away what a crash or a failing disk left at the end of a spool, before its writer goes on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from logshed.spool import disk
from logshed.spool.frames import DamageError, scan
from logshed.spool.listing import CUT, listing, name, segments
from logshed.spool.reading import damaged

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.spool.index import Index

DAMAGED = "damaged"
"""Folder in the spool where what could not be read lies."""


def healed(index: Index) -> bool:
    """Take away what nobody was told to be on the disk and is not whole.

    Args:
        index: What the spool holds; it is mended, too.

    Returns:
        Whether the index is right; if not, the spool must be read again.

    Raises:
        SpoolError: It cannot be written; or what was on the disk is not as it was.
    """
    try:
        clear(index.root)
        if index.torn is not None:
            shorten(*index.torn)
            index.segments[index.torn[0]] = index.torn[1]
            index.torn = None
        if index.newest is not None and not _is_whole(index, *index.newest):
            return False
        if index.last is not None:
            with index.last.open("r+b") as file:  # what a killed writer wrote may not be on the disk yet
                os.fsync(file.fileno())
    except OSError as error:
        raise disk.problem(index.root, error) from None
    return True


def shorten(segment: Path, size: int) -> None:
    """Cut off the end of a segment; it is kept apart, since it may be more than what a crash left.

    Raises:
        OSError: It cannot be.
    """
    with segment.open("r+b") as file:
        keep_apart(segment, size, os.fstat(file.fileno()).st_size - size)
        file.truncate(size)
        os.fsync(file.fileno())


def keep_apart(segment: Path, position: int, size: int) -> None:
    """Keep some bytes of a segment in the folder of what could not be read.

    Raises:
        OSError: They cannot be.
    """
    folder = segment.parent / DAMAGED
    folder.mkdir(exist_ok=True, mode=0o700)
    with segment.open("rb") as file:
        file.seek(position)
        (folder / f"{segment.stem}-{position}.bin").write_bytes(file.read(size))


def clear(root: Path) -> None:
    """Finish what the last writer began: cut segments, and take away those that it was about to.

    Raises:
        OSError: It cannot be.
    """
    known = listing(root)
    for number, size in known.cuts.items():
        segment = root / name(number)
        if segment.exists():
            with segment.open("r+b") as file:
                file.truncate(min(size, os.fstat(file.fileno()).st_size))
                os.fsync(file.fileno())
        segment.with_suffix(CUT).unlink()
    for segment in segments(root):
        if known.extent is not None and int(segment.stem) < known.extent.first:
            segment.unlink()


def _is_whole(index: Index, segment: Path, begin: int) -> bool:
    """Whether the lines of the newest write are as they were written; if nobody was told that they are, they go."""
    try:
        with segment.open("rb") as file:
            for _ in scan(file, position=begin, end=index.segments[segment], lines=True):
                pass
    except DamageError as damage:
        if not listing(index.root).is_torn(segment, begin, short=False):
            raise damaged(segment, damage) from None
        shorten(segment, begin)
        return False
    return True
