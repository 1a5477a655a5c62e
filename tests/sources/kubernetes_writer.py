"""Writes numbered lines into a container's log file as a node's runtime does: the times of some go back a little."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

EVERY_S = 0.02


def main(path: Path, name: str, first: int, count: int, per_second: int) -> None:
    """Write ``count`` lines, numbered from ``first`` on, so many a second."""
    begun = time.monotonic()
    written = 0
    with path.open("ab", buffering=0) as file:
        while written < count:
            due = min(count, int((time.monotonic() - begun + EVERY_S) * per_second))
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
            lines = [line(stamp, name, first + number) for number in range(written, due)]
            file.write("".join(lines).encode())
            written = due
            time.sleep(EVERY_S)


def line(stamp: str, name: str, number: int) -> str:
    """A line; each seventh bears the time of the one after it, as where two streams are written at once."""
    nanoseconds = (number % 1000) ^ (number % 7 == 0)
    return f"{stamp}{nanoseconds:03d}Z stdout F INFO {name} number {number} of mail{number}@example.com\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]))
