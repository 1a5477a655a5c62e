"""The bytes of an open file, by offset or one after the other."""

from __future__ import annotations

import os
from typing import BinaryIO

SEARCH_BYTES = 64 * 1024


def inode_of(status: os.stat_result) -> str:
    """``device:inode`` of a file, which it keeps when it is renamed."""
    return f"{status.st_dev}:{status.st_ino}"


class RawFile:
    """The bytes of an open file; an error while reading ends it and is its ``problem``.

    Attributes:
        taken: Bytes read so far.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.problem = ""
        self.taken = 0

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        try:
            data = self._file.read(size)
        except OSError as error:
            self.problem = f"{error.strerror} after {self.taken:,} bytes"
            return b""
        self.taken += len(data)
        return data

    def readinto(self, view: memoryview) -> int:
        """Fill a buffer; the bytes taken, 0 at the end."""
        try:
            count = self._file.readinto(view)  # type: ignore[attr-defined]
        except OSError as error:
            self.problem = f"{error.strerror} after {self.taken:,} bytes"
            return 0
        self.taken += count
        return int(count)

    @property
    def handle(self) -> BinaryIO:
        """The open file, for readers that go to and fro in it."""
        return self._file

    def seek(self, position: int) -> None:
        """Go to an offset."""
        self._file.seek(position)

    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._file.fileno()).st_size

    def inode(self) -> str:
        """``device:inode`` of the open file, whatever its name is by now."""
        return inode_of(os.fstat(self._file.fileno()))

    def before(self, position: int, size: int) -> bytes:
        """At most ``size`` bytes before an offset; the place to read on from stays."""
        start = max(position - size, 0)
        return self._at(position - start, start)

    def after_newline(self, position: int) -> int:
        """The offset after the first line feed at or behind an offset, the file's end where there is none."""
        while data := self._at(SEARCH_BYTES, position):
            found = data.find(b"\n")
            if found >= 0:
                return position + found + 1
            position += len(data)
        return position

    def after_last_newline(self, start: int, end: int) -> int:
        """The offset after the last line feed from ``start`` to before ``end``; ``start`` where there is none."""
        while end > start:
            size = min(SEARCH_BYTES, end - start)
            found = self._at(size, end - size).rfind(b"\n")
            if found >= 0:
                return end - size + found + 1
            end -= size
        return start

    def close(self) -> None:
        """Give back what is held open."""
        self._file.close()

    def _at(self, size: int, position: int) -> bytes:
        """At most ``size`` bytes from an offset on; the place to read on from stays."""
        return os.pread(self._file.fileno(), size, position)
