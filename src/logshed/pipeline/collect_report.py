"""What a collection comes to, target by target, while it runs and at its end."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

STATES = ("following", "waiting", "ended", "failed")
RATE_S = 5.0
"""Seconds over which a rate is told."""


@dataclass(slots=True)
class TargetReport:
    """One container, file or pod.

    Attributes:
        name: What it is called.
        state: One of ``STATES``.
        text: Why, as a sentence.
        lines: Lines that came.
        bytes: Their bytes.
        rested: Lines that rest in the spool.
        errors: How often it failed or was cut off.
        rate: Lines a second, lately.
    """

    name: str
    state: str = "following"
    text: str = ""
    lines: int = 0
    bytes: int = 0
    rested: int = 0
    errors: int = 0
    rate: float = 0.0
    _since: float = field(default_factory=time.monotonic)
    _before: int = 0

    def came(self, lines: int, size: int) -> None:
        """Count lines that came."""
        self.lines += lines
        self.bytes += size
        now = time.monotonic()
        if now - self._since >= RATE_S:
            self.rate = (self.lines - self._before) / (now - self._since)
            self._since, self._before = now, self.lines

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}


@dataclass(slots=True)
class CollectReport:
    """A whole collection.

    Attributes:
        targets: By feed and name.
        failed: Feeds of which nothing could be collected, and why.
        feeds: How many feeds there were.
        paused: Why collection waits, or empty.
        lake: Why the spool is not emptied into the lake, or empty.
        seconds: How long it ran.
    """

    targets: dict[tuple[str, str], TargetReport] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    feeds: int = 0
    paused: str = ""
    lake: str = ""
    seconds: float = 0.0

    def target(self, feed: str, name: str) -> TargetReport:
        """The report of a target, made when it is first heard of."""
        return self.targets.setdefault((feed, name), TargetReport(name))

    @property
    def lines(self) -> int:
        """Lines that rest."""
        return sum(one.rested for one in self.targets.values())

    @property
    def ok(self) -> bool:
        """Whether anything could be collected."""
        return not self.feeds or len(self.failed) < self.feeds

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "feeds": self.feeds,
            "lines": self.lines,
            "seconds": round(self.seconds, 3),
            "failed": self.failed,
            "paused": self.paused,
            "lake": self.lake,
            "targets": [{"feed": feed, **one.as_dict()} for (feed, _), one in self.targets.items()],
        }
