"""Standard input as lines that arrive, now many and now none for a while: whoever writes it may be at it for days."""

from __future__ import annotations

import os
import select
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

READ_BYTES = 2**20
WAIT_S = 0.1
"""How long nothing comes before that is said."""
ENOUGH_BYTES = 2**22
"""Bytes that are given out without waiting for more."""


def is_file() -> bool:
    """Whether standard input is a file, as after ``< access.log``: it is read as that file then."""
    return stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode)


def path() -> str:
    """The path of the file that standard input is."""
    return os.path.realpath(f"/proc/self/fd/{sys.stdin.fileno()}")


def lines(stop: Event) -> Iterator[list[bytes]]:
    """Whole lines as they arrive, without their line feeds; an empty list where none did for a while.

    What stands behind the last line feed is a line, too, once the input ends or ``stop`` is set.
    """
    source = sys.stdin.fileno()
    pending: list[bytes] = []
    size = 0
    while not stop.is_set():
        ready = bool(select.select([source], [], [], WAIT_S)[0])
        data = os.read(source, READ_BYTES) if ready else b""
        pending.append(data)
        size += len(data)
        if data and size < ENOUGH_BYTES and select.select([source], [], [], 0)[0]:
            continue
        whole, feed, rest = b"".join(pending).rpartition(b"\n")
        pending, size = [rest], len(rest)
        yield whole.split(b"\n") if feed else []
        if ready and not data:
            break
    if rest := b"".join(pending):
        yield [rest]
