"""Standard input as lines that arrive, now many and now none for a while: whoever writes it may be at it for days."""

from __future__ import annotations

import os
import stat
import sys
from threading import Condition, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

READ_BYTES = 2**20
WAIT_S = 0.1
"""How long lines wait for more to be given out together: each turn of the pipeline has its price."""
HELD_BYTES = 2**25
"""Bytes that are read ahead while those before them are worked on."""


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
    reader = _Reader(sys.stdin.fileno())
    rest = b""
    while not reader.ended and not stop.is_set():
        whole, feed, rest = (rest + reader.taken(WAIT_S)).rpartition(b"\n")
        yield whole.split(b"\n") if feed else []
    whole, feed, rest = (rest + reader.taken(0)).rpartition(b"\n")
    yield [*(whole.split(b"\n") if feed else []), *([rest] if rest else [])]


class _Reader(Thread):
    """Reads a file descriptor all the time, so that what came meanwhile is taken at once."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self.ended = False
        self._descriptor = descriptor
        self._pieces: list[bytes] = []
        self._size = 0
        self._changed = Condition()
        self.start()

    def run(self) -> None:
        """Read to the end."""
        while data := os.read(self._descriptor, READ_BYTES):
            with self._changed:
                self._pieces.append(data)
                self._size += len(data)
                self._changed.wait_for(lambda: self._size < HELD_BYTES)
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def taken(self, seconds: float) -> bytes:
        """What has come after so long, or sooner where the input ends or nothing more can be held."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended or self._size >= HELD_BYTES, seconds)
            found, self._pieces, self._size = self._pieces, [], 0
            self._changed.notify_all()
        return b"".join(found)
