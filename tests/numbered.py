"""A program that writes numbered lines as a server does, logrotate as an administrator has it, and what must arrive."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# It opens its file anew when that was moved away, as nginx does when it is told to and WatchedFileHandler by itself.
# While logrotate copies and truncates it waits for the lock: what is written in between is lost by logrotate itself.
WRITER = """
import fcntl, os, sys, time
path, lines, per_second, first = sys.argv[1], *map(int, sys.argv[2:5])
suffix = sys.argv[5] if len(sys.argv) > 5 else ""
lock = open(path + ".lock", "w")
file, begun = open(path, "ab", 0), time.monotonic()
for number in range(first, first + lines, 10):
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        moved = os.stat(path).st_ino != os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        moved = True
    if moved:
        file = open(path, "ab", 0)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    text = f"{stamp} INFO number={{0}} written{suffix.replace('%', '{1}')}\\n"
    file.write("".join(text.format(one, one % 3) for one in range(number, number + 10)).encode())
    fcntl.flock(lock, fcntl.LOCK_UN)
    time.sleep(max(0, begun + (number - first) / per_second - time.monotonic()))
"""


class Writing:
    """A log that a process of its own writes.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._state = path.parent / f".{path.name}.state"

    @contextmanager
    def lines(self, count: int, per_second: int, suffix: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """So many more lines, written while the block runs; it waits for the last."""
        words = [str(word) for word in (self.path, count, per_second, self.written)]
        with subprocess.Popen([sys.executable, "-c", WRITER, *words, suffix]) as writer:
            yield writer
            assert writer.wait(60) == 0
        self.written += count

    def rotate(self, *how: str) -> None:
        """Run logrotate once, with these lines in its configuration."""
        logrotate = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin:/bin")
        if logrotate is None:
            pytest.skip("needs logrotate, which is not installed")
        config = self.path.parent / f".{self.path.name}.conf"
        config.write_text(f"{self.path} {{\n  rotate 9\n  su root root\n  {chr(10).join(how)}\n}}\n")
        config.chmod(0o644)
        with (self.path.parent / f"{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            subprocess.run([logrotate, "--force", "--state", self._state, config], check=True, capture_output=True)


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: It did not become so.
    """
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to be in time"
        time.sleep(0.3)
