"""Reads the times, steps and limits of Loki's API: nanoseconds, seconds, RFC 3339; ``15s``, ``0.5``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logshed.errors import UsageError
from logshed.logql import Steps
from logshed.logql.amounts import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

MICROSECONDS = 1_000_000
MOST_STEPS = 11_000
"""Points of a series, as many as Loki and Prometheus tell."""
MOST_LINES = 5_000
"""Lines of an answer."""
LINES = 100
_HOUR = 3600 * MICROSECONDS
_DEFAULT_STEPS = 250
_DIGITS_OF_SECONDS = 10
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_FURTHEST = 250_000_000_000 * MICROSECONDS
_DIRECTIONS = {"forward": True, "backward": False}


@dataclass(frozen=True, slots=True)
class Span:
    """A time that is asked for, in microseconds since 1970.

    Attributes:
        start: Its first moment.
        end: Its end.
    """

    start: int
    end: int


def moment(text: str, name: str, *, up: bool = False) -> int:
    """Microseconds of a time: whole numbers of more than ten digits are nanoseconds, others seconds.

    Args:
        text: The time.
        name: What it is called in an error.
        up: Whether nanoseconds are rounded up: no record lies between a microsecond and the next, so one from or
            before a moment is one from or before the microsecond after it.

    Raises:
        UsageError: It is none.
    """
    if _WHOLE.fullmatch(text):
        seconds = len(text.lstrip("-")) <= _DIGITS_OF_SECONDS
        return int(text) * MICROSECONDS if seconds else (int(text) + (999 if up else 0)) // 1000
    try:
        number = float(text)
    except ValueError:
        return _written(text, name)
    if not abs(number) * MICROSECONDS <= _FURTHEST:
        raise UsageError(f"cannot read {name}: {text!r} is too far away; write seconds or nanoseconds since 1970")
    return round(number * MICROSECONDS)


def _written(text: str, name: str) -> int:
    # Nine digits of a second are more than a datetime keeps.
    shorter = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        found = datetime.fromisoformat(shorter)
    except ValueError:
        raise UsageError(
            f"cannot read {name}: {text!r} is no time; write nanoseconds or seconds since 1970, or RFC 3339"
        ) from None
    zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int(zoned.timestamp()) * MICROSECONDS + zoned.microsecond


def span(asked: Mapping[str, str], now: datetime, *, up: bool = False) -> Span:
    """The time between ``start`` and ``end``; without them the last hour.

    Args:
        asked: The parameters.
        now: The present.
        up: Whether nanoseconds are rounded up, as it is right for lines.

    Raises:
        UsageError: One of them is no time, or the end comes first.
    """
    present = round(now.timestamp() * MICROSECONDS)
    end = moment(asked["end"], "end", up=up) if asked.get("end") else present
    since = amount(asked["since"], "since") if asked.get("since") else _HOUR
    start = moment(asked["start"], "start", up=up) if asked.get("start") else end - since
    if start > end:
        raise UsageError("cannot look at this time: its end lies before its start; turn them round")
    return Span(start, end)


def steps(asked: Mapping[str, str], within: Span) -> Steps:
    """The steps of a metric; without ``step`` about 250 of whole seconds.

    Raises:
        UsageError: The step is none, or there are too many.
    """
    length = within.end - within.start
    text = asked.get("step") or asked.get("interval")
    step = amount(text, "step") if text else max(length // _DEFAULT_STEPS // MICROSECONDS, 1) * MICROSECONDS
    last = length // step
    if last >= MOST_STEPS:
        raise UsageError(f"cannot tell so many points: there are more than {MOST_STEPS:,}; take a longer step")
    return Steps(within.start, step, last)


def amount(text: str, name: str) -> int:
    """Microseconds of ``15s``, ``1m30s`` or of seconds.

    Raises:
        UsageError: It is none, or not above nothing.
    """
    try:
        seconds = float(text)
    except ValueError:
        found = duration(text)
        seconds = 0.0 if found is None else found
    if not 0 < seconds * MICROSECONDS <= _FURTHEST:
        raise UsageError(f"cannot read {name}: {text!r} is no duration; write 15s, 1m or seconds")
    return max(round(seconds * MICROSECONDS), 1)


def lines(asked: Mapping[str, str]) -> int:
    """How many lines are wanted.

    Raises:
        UsageError: It is no number, or too many.
    """
    text = asked.get("limit") or str(LINES)
    if not text.isdigit() or not text.isascii() or len(text) > _DIGITS_OF_SECONDS:
        raise UsageError(f"cannot read limit: {text!r} is no number of lines; write 1 to {MOST_LINES:,}")
    if not 0 < int(text) <= MOST_LINES:
        raise UsageError(f"cannot give {text} lines at once: it may be 1 to {MOST_LINES:,}; ask again for older ones")
    return int(text)


def oldest_first(asked: Mapping[str, str]) -> bool:
    """Whether the oldest line comes first.

    Raises:
        UsageError: The direction is none.
    """
    text = (asked.get("direction") or "backward").lower()
    if text not in _DIRECTIONS:
        raise UsageError(f"cannot go {text!r}: a direction is forward or backward; take one")
    return _DIRECTIONS[text]
