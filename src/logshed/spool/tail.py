"""The end of a spool, where its writer appends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from logshed.spool import disk
from logshed.spool.extent import Extent, ExtentFile
from logshed.spool.listing import cut, name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.spool.index import Index


class Tail:
    """The newest segment of a spool, and the note of how far the spool goes.

    Args:
        index: What the spool holds.

    Raises:
        SpoolError: It cannot be written.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._handle = -1
        self._is_failed = False
        try:
            self._extent = ExtentFile(index.root)
        except OSError as error:
            raise disk.problem(index.root, error) from None

    def ready(self, most: int) -> Path:
        """The segment that is appended to next.

        Args:
            most: One with so many bytes is full.

        Raises:
            SpoolError: It cannot be made.
        """
        last = self._index.last
        if last is None or self._is_failed or self._index.segments[last] >= most:
            return self.begin()
        return last

    def put(self, segment: Path, buffers: Sequence[bytes]) -> None:
        """Append, and wait until the disk has it; what went wrong leaves the spool as it was.

        Args:
            segment: Where, as ``ready`` said.
            buffers: What, one after another.

        Raises:
            SpoolFullError: The disk is full.
            SpoolError: It cannot be written.
        """
        at = self._index.segments[segment]
        try:
            if self._handle < 0:
                self._handle = os.open(segment, os.O_WRONLY)
            disk.write_at(self._handle, at, buffers)
        except OSError as error:
            self._take_back(at)
            raise disk.problem(segment, error) from None
        try:
            disk.sync(self._handle)
            self._extent.write(self._reach(segment, at + sum(map(len, buffers))))
        except OSError as error:
            # The system has forgotten which pages did not reach the disk, and would tell the next time that all did.
            # So nothing is ever written to this segment again; up to here it was on the disk before.
            self._is_failed = True
            self._take_back(at)
            raise disk.problem(segment, error) from None

    def begin(self) -> Path:
        """Begin a new segment, unless the newest is empty and sound.

        Raises:
            SpoolError: It cannot be made.
        """
        last = self._index.last
        if last is not None and not self._index.segments[last] and not self._is_failed:
            return last
        if last is not None and self._is_failed:
            cut(last, self._index.segments[last])
        path = self._index.root / name(1 if last is None else int(last.stem) + 1)
        try:
            path.touch(mode=0o600)
            disk.sync_folder(self._index.root)
            self._extent.write(self._reach(path, 0), durable=True)
        except OSError as error:
            raise disk.problem(path, error) from None
        self._let_go()
        self._is_failed = False
        self._index.begin(path)
        return path

    def note(self) -> None:
        """Note durably how far the spool goes.

        Raises:
            SpoolError: It cannot be written.
        """
        last = self._index.last
        if last is not None:
            try:
                self._extent.write(self._reach(last, self._index.segments[last]), durable=True)
            except OSError as error:
                raise disk.problem(self._index.root, error) from None

    def close(self) -> None:
        """Close its files."""
        self._let_go()
        self._extent.close()

    def _reach(self, last: Path, size: int) -> Extent:
        first = next(iter(self._index.segments), last)
        return Extent(int(first.stem), int(last.stem), size)

    def _take_back(self, at: int) -> None:
        """Take back what was written behind a place; where that fails, the segment counts up to there only."""
        try:
            if self._handle >= 0:
                os.ftruncate(self._handle, at)
        except OSError:  # the caller tells of the disk
            self._is_failed = True

    def _let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
