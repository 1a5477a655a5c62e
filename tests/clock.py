"""A time that passes when a test says so, and not while its machine does something else."""

from __future__ import annotations

import time


class Clock:
    """Stands in a module for its ``time``, of which it has ``time`` alone."""

    def __init__(self) -> None:
        self._now = time.time()

    def time(self) -> float:
        """The present."""
        return self._now

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
