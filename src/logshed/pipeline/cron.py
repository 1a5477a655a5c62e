"""When a cron expression comes true, in a time zone whose clocks are put forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

if TYPE_CHECKING:
    from collections.abc import Iterator

SPANS = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=367), timedelta(days=9 * 366))
"""How far back the latest time is looked for, the nearest first; the 29th of February may be 8 years away."""
MOST = 1_000
"""Times that are counted at most."""


class Cron:
    """Times of a cron expression.

    A time of day that a clock jumps over comes when it has jumped; one that it shows twice comes the first time. What
    comes every so many minutes or hours does so in real time.

    Args:
        text: Five fields.
        zone: Name of the time zone.
    """

    def __init__(self, text: str, zone: str) -> None:
        self._text = text
        self._zone = ZoneInfo(zone)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times after a moment, in UTC."""
        for one in CronSim(self._text, moment.astimezone(self._zone)):
            found = one.astimezone(UTC)
            if found > moment:
                yield found

    def next(self, moment: datetime) -> datetime:
        """The first time after a moment, in UTC."""
        return next(self.after(moment))

    def latest(self, moment: datetime) -> datetime | None:
        """The last time at a moment or before it, in UTC; None where there was none for years."""
        for span in SPANS:
            found = None
            for found in self.until(moment - span, moment):  # noqa: B007 - the last one is wanted
                pass
            if found is not None:
                return found
        return None

    def until(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """The times after ``begin``, up to and with ``end``."""
        return takewhile(lambda one: one <= end, self.after(begin))

    def count(self, begin: datetime, end: datetime) -> int:
        """How many times there are after ``begin``, up to and with ``end``; ``MOST`` stands for as many or more."""
        return sum(1 for _ in islice(self.until(begin, end), MOST))
