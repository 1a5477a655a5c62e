"""How far a spool goes: its oldest and newest segment, and the bytes of the newest that the disk is known to have.

Readers go no further: what a writer has not been told to be on the disk may be gone after a power failure, and other
lines may come to stand at its offsets.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

import google_crc32c

EXTENT = "extent"
MAGIC = b"LSE1"
FORM = struct.Struct(">4s16sQQQ")
CHECK = struct.Struct(">I")
TRIES = 5
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a spool goes.

    Attributes:
        first: Its oldest segment's number; older ones were taken away.
        last: Its newest segment's number.
        size: Bytes of the newest that the disk has. After the machine was started again, it may have more.
        live: Whether it was written since the machine was started.
    """

    first: int
    last: int
    size: int
    live: bool = True


class ExtentFile:
    """Where a writer notes how far its spool goes.

    Args:
        root: The spool's folder.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, root: Path) -> None:
        self._handle = os.open(root / EXTENT, os.O_WRONLY | os.O_CREAT, 0o600)

    def write(self, extent: Extent, *, durable: bool = False) -> None:
        """Note it.

        Args:
            extent: How far it goes.
            durable: Wait for the disk. Without, a power failure may leave an older note, which says less.

        Raises:
            OSError: It cannot be written.
        """
        data = FORM.pack(MAGIC, _boot(), extent.first, extent.last, extent.size)
        os.pwrite(self._handle, data + CHECK.pack(google_crc32c.value(data)), 0)
        if durable:
            os.fsync(self._handle)

    def close(self) -> None:
        """Close it."""
        os.close(self._handle)


def read_extent(root: Path) -> Extent | None:
    """How far a spool goes; None where nothing tells, as in a spool of an older version."""
    for _ in range(TRIES):  # one that is just being written may be read by halves
        try:
            data = (root / EXTENT).read_bytes()
        except FileNotFoundError:
            return None
        if len(data) == FORM.size + CHECK.size and data[FORM.size :] == CHECK.pack(
            google_crc32c.value(data[: FORM.size])
        ):
            _, boot, first, last, size = FORM.unpack(data[: FORM.size])
            return Extent(first, last, size, live=boot == _boot() and any(boot))
    return None


def is_damaged(root: Path) -> bool:
    """Whether there is a note that cannot be read."""
    return (root / EXTENT).exists() and read_extent(root) is None


@cache
def _boot() -> bytes:
    """Tells one run of the machine from the next; zeros where the system does not say."""
    try:
        return UUID(BOOT_ID.read_text().strip()).bytes
    except (OSError, ValueError):
        return bytes(16)
