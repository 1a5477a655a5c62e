"""What a spool asks of the disk: bytes that are there for good once a call has come back."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from logshed.errors import SpoolError, SpoolFullError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
AT_ONCE = 1_024
"""Buffers of a call of pwritev; POSIX lets a system take no more."""
# Of the metadata fdatasync leaves out only what is not needed to read the data, such as times; the new size is needed,
# and is flushed. (macOS has only fsync.)
sync = getattr(os, "fdatasync", os.fsync)


def write_at(handle: int, at: int, buffers: Sequence[bytes]) -> None:
    """Write buffers one after another from a place in a file on.

    Raises:
        OSError: They were not all written.
    """
    waiting: list[bytes | memoryview] = [one for one in buffers if one]
    begin = 0
    while begin < len(waiting):
        done = os.pwritev(handle, waiting[begin : begin + AT_ONCE], at)
        at += done
        while begin < len(waiting) and done >= len(waiting[begin]):
            done -= len(waiting[begin])
            begin += 1
        if done:
            waiting[begin] = memoryview(waiting[begin])[done:]


def put(path: Path, data: bytes) -> None:
    """Write a whole file anew, or leave it as it was.

    Raises:
        SpoolFullError: The disk is full.
        SpoolError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_at(handle, 0, [data])
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise problem(path, error) from None


def sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's names.

    Raises:
        OSError: It cannot be.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def problem(path: Path, error: OSError) -> SpoolError:
    """The error of a file that cannot be written."""
    if error.errno in FULL:
        return SpoolFullError(f"cannot write to {path}: {error.strerror}; free some space")
    return SpoolError(f"cannot write to {path}: {error.strerror}; check the disk")


def size(path: Path) -> int:
    """Bytes of a file; none of one that was taken away meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
