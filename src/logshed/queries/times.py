"""Reads the times that people write: ``24h``, ``yesterday``, ``2015-05-17``, ``2015-05-17T10:05:03+02:00``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from logshed.errors import UsageError

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""No record lies outside: event times start in 1990 and end a day after now."""

LONGEST_S = 100 * 366 * 86_400
"""Seconds of the longest length of time that is taken."""

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|hours?|d|days?|w|weeks?)(?:\s+ago)?")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def moment(text: str, *, now: datetime, timezone: str = "UTC") -> datetime:
    """The moment that a text names, in UTC.

    Args:
        text: A time ago (``90s``, ``15m``, ``24h``, ``7d``, ``2w``), ``now``, ``today``, ``yesterday`` (their first
            moment), ``all`` (before every record), an ISO date (its first moment) or an ISO date and time.
        now: The present, with a zone.
        timezone: The zone of days and of times that name none.

    Raises:
        logshed.errors.UsageError: The text is none of these.
    """
    wanted = text.strip().lower()
    zone = zone_of(timezone)
    if ago := _AGO.fullmatch(wanted):
        return _back(now, float(ago[1]) * _SECONDS[ago[2][0]], text)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight, "yesterday": _midnight_before(midnight), "all": EARLIEST}
    if wanted in named:
        return named[wanted].astimezone(UTC)
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"cannot read the time {text!r}: it is no time; write 24h, 7d, today, yesterday, all, 2026-11-01 or "
            "2026-11-01T10:00:00Z"
        ) from error


def _back(now: datetime, seconds: float, text: str) -> datetime:
    try:
        return max(EARLIEST, (now - timedelta(seconds=seconds)).astimezone(UTC))
    except OverflowError as error:
        raise UsageError(f"cannot read the time {text!r}: it is too long ago; write all for everything") from error


def _midnight_before(midnight: datetime) -> datetime:
    """The day before in wall-clock days: a day may have 23 or 25 hours."""
    return (midnight.replace(tzinfo=None) - timedelta(days=1)).replace(tzinfo=midnight.tzinfo)


def back(text: str, begin: datetime, end: datetime) -> timedelta:
    """How far before a window the one lies that it is compared with.

    Args:
        text: ``previous`` (the time of the same length right before), or a length such as ``1d``, ``1w``, ``36h``.
        begin: First moment of the window.
        end: First moment after it.

    Raises:
        logshed.errors.UsageError: The text is neither, or the window has no beginning.
    """
    if begin <= EARLIEST:
        raise UsageError("cannot compare all that is there: nothing lies before it; give --since")
    if text.strip().lower() == "previous":
        return end - begin
    away = length(text, "compare with", "write previous, 1d, 1w or 36h")
    if (begin - EARLIEST) <= away:
        raise UsageError(f"cannot compare with {text!r}: it is too long ago; write less")
    return away


def length(text: str, verb: str = "take", advice: str = "write 90s, 36h, 28d or 2w") -> timedelta:
    """A length of time such as ``36h``, ``28d`` or ``2w``.

    Args:
        text: The length.
        verb: What cannot be done with it, for the error.
        advice: What to write instead.

    Raises:
        logshed.errors.UsageError: It is none, or zero.
    """
    found = _AGO.fullmatch(text.strip().lower())
    seconds = float(found[1]) * _SECONDS[found[2][0]] if found else 0
    if not 0 < seconds < LONGEST_S:
        raise UsageError(f"cannot {verb} {text!r}: it is no length of time; {advice}")
    return timedelta(seconds=seconds)


def moved(when: datetime, by: timedelta, timezone: str = "UTC") -> datetime:
    """A time moved by a length; by whole days on the clock of a zone, whose days may have 23 or 25 hours."""
    if by % timedelta(days=1):
        return when + by
    zone = zone_of(timezone)
    return (when.astimezone(zone).replace(tzinfo=None) + by).replace(tzinfo=zone).astimezone(UTC)


def zone_of(name: str) -> tzinfo:
    """The time zone of a name.

    Raises:
        logshed.errors.UsageError: There is none.
    """
    try:
        return UTC if name.upper() == "UTC" else ZoneInfo(name)
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"cannot use the time zone {name!r}: there is none; write a name such as Europe/Berlin"
        ) from error
