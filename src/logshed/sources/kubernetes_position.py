"""Where the log of a container goes on: how many lines came since a second, and when the last one was written.

The API gives lines from a whole second on, in an order that does not change, but their times may go back a little where
stdout and stderr are written at once. So a place in a log is a number of lines after a second, proved by two times; no
word of a line is part of it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SLACK_S = 1
"""Lines are asked for again from so many whole seconds before the last one on: times may go back so much."""
KEPT_S = 2
"""More seconds are counted than asked for, as the next last line may be older than this one."""
SECOND = 19
"""Letters of a time up to its seconds."""
STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)(?= |$)")
_SECOND = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log of one run of a container.

    Attributes:
        seconds: Of the last seconds, in the order in which they began: how many lines, and the first one's time.
        last: The last line's time, as the API wrote it; empty before the first line.
        same: How many lines in a row have that time, the last one among them.
    """

    seconds: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    last: str = ""
    same: int = 0

    @property
    def since(self) -> datetime | None:
        """From when on to ask for lines; None before the first line."""
        return _moment(self.last).replace(microsecond=0) - timedelta(seconds=SLACK_S) if self.last else None

    @property
    def window(self) -> tuple[int, str]:
        """How many lines came since ``since``, and the time of the first of them."""
        begin = _key(self.since)
        within = [one for second, one in self.seconds.items() if second >= begin]
        return sum(count for count, _ in within), within[0][1] if within else ""

    def after(self, lines: Sequence[bytes]) -> Position:
        """The place after these lines, each of which begins with its time."""
        if not lines:
            return self
        keys = _seconds(lines)
        firsts = dict(zip(reversed(keys), reversed(lines), strict=True))
        seconds = dict(self.seconds)
        for key, count in Counter(keys).items():
            before, first = seconds.get(key, (0, ""))
            seconds[key] = (before + count, first or stamp(firsts[key]))
        last, same = stamp(lines[-1]), _run(lines)
        if same == len(lines) and last == self.last:
            same += self.same
        begin = _key(_moment(last) - timedelta(seconds=SLACK_S + KEPT_S))
        return Position({key: one for key, one in seconds.items() if key >= begin}, last, same)

    def as_dict(self) -> dict[str, Any]:
        """For a cursor."""
        return {"seconds": [[key, *one] for key, one in self.seconds.items()], "last": self.last, "same": self.same}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The place that a cursor tells."""
        seconds = {str(key): (int(count), str(first)) for key, count, first in given.get("seconds", ())}
        return cls(seconds, str(given.get("last", "")), int(given.get("same", 0)))


class Resumed:
    """Takes away from an answer what had come before; the answer begins at ``Position.since``.

    Attributes:
        position: The place that has been reached.
        shortened: Whether the API no longer has all that had come, so that something between may be gone too.

    Args:
        position: The place up to which lines had come.
    """

    def __init__(self, position: Position) -> None:
        self.position = position
        self.shortened = False
        self._skip, self._first = position.window
        self._held: list[bytes] | None = [] if position.last else None

    def new(self, lines: list[bytes]) -> list[bytes]:
        """Those that had not come before, in order; ``position`` is what was before them."""
        if self._held is None or not lines:
            return lines
        held = self._held
        held += lines
        if stamp(held[0]) == self._first:
            if len(held) < self._skip:
                return []
            if stamp(held[self._skip - 1]) == self.position.last:
                self._held = None
                return held[self._skip :]
        return self._by_time(held)

    def _by_time(self, held: list[bytes]) -> list[bytes]:
        """The log was cut off at its front meanwhile: what is later than the last line is new."""
        self.shortened = True
        last, same = _exact(self.position.last), self.position.same
        for number, line in enumerate(held):
            exact = _exact(stamp(line))
            if exact > last or (exact == last and not same):
                self._held = None
                self.position = Position().after(held[:number])
                return held[number:]
            same -= exact == last
        return []


def stamp(line: bytes) -> str:
    """The time that a line begins with, as written."""
    return line[: line.find(b" ")].decode("ascii", "replace") if b" " in line[:64] else line.decode("ascii", "replace")


def foreign(lines: Sequence[bytes]) -> bool:
    """Whether any line begins with no time: the API then tells of a trouble in the place of a log."""
    return not all(map(_SECOND.fullmatch, {line[:SECOND] for line in lines}))


def _seconds(lines: Sequence[bytes]) -> list[str]:
    """The second of each line, in UTC."""
    if stamp(lines[0]).endswith("Z") and stamp(lines[-1]).endswith("Z"):
        return [line[:SECOND].decode("ascii", "replace") for line in lines]
    return [_key(_moment(stamp(line))) for line in lines]  # nodes with another zone than UTC are rare


def _run(lines: Sequence[bytes]) -> int:
    """How many lines at the end have the time of the last."""
    last = stamp(lines[-1]).encode()
    return next((n for n, line in enumerate(reversed(lines)) if not line.startswith(last)), len(lines))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _exact(text: str) -> tuple[str, str]:
    """A time to compare by, to the nanosecond."""
    fraction = re.search(r"\.(\d+)", text)
    return _key(_moment(text)), (fraction[1] if fraction else "").ljust(9, "0")


def _key(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}"
