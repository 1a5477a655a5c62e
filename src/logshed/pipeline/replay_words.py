"""What the words of a call mean for a replay: which records, which window, from where."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logshed.errors import UsageError
from logshed.pipeline.replay_clock import MICROSECONDS, Window
from logshed.pipeline.replay_records import microseconds
from logshed.pipeline.replay_slices import Wanted
from logshed.queries.times import EARLIEST, length, moment, zone_of

if TYPE_CHECKING:
    from datetime import tzinfo

    from logshed.pipeline.replay_records import Records


@dataclass(frozen=True, slots=True)
class Words:
    """What a replay is asked for, as people write it.

    Attributes:
        since: First moment; None and ``all`` begin with the first record.
        until: First moment after; None ends with the last record.
        duration: How long it takes, such as ``5m``, or None.
        speed: How many times as quick as it was, or None.
        collections: Only of these; none are all.
        where: A condition in SQL over the columns of ``logs``, or None.
        timezone: The zone of days and of times that name none.
        now: The present.
    """

    since: str | None = None
    until: str | None = None
    duration: str | None = None
    speed: float | None = None
    collections: tuple[str, ...] = ()
    where: str | None = None
    timezone: str = "UTC"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def zone(self) -> tzinfo:
        """The zone of times."""
        return zone_of(self.timezone)

    @property
    def wanted(self) -> Wanted:
        """Which records.

        Raises:
            UsageError: A time is none, or the window ends before it begins.
        """
        since, until = self._moment(self.since), self._moment(self.until)
        if since is not None and until is not None and since >= until:
            raise UsageError(
                f"cannot replay from {self.since} until {self.until}: that ends before it begins; give a --since "
                "before --until"
            )
        return Wanted(since, until, self.collections, self.where)

    def _moment(self, text: str | None) -> datetime | None:
        found = moment(text, now=self.now, timezone=self.timezone) if text else None
        return None if found is not None and found <= EARLIEST else found

    def window(self, records: Records) -> Window:
        """What is played, and how quickly.

        Raises:
            UsageError: Nothing or too much says how quickly.
            ReplayError: There is no record in it.
        """
        if (self.duration is None) == (self.speed is None):
            told = "nothing says how quickly" if self.duration is None else "--duration and --speed say two things"
            raise UsageError(f"cannot replay: {told}; give either --duration 5m or --speed 60")
        if self.speed is not None and not (math.isfinite(self.speed) and self.speed > 0):
            raise UsageError(f"cannot replay at speed {self.speed:g}: it is none; give one above 0, such as --speed 60")
        seconds = length(self.duration, "replay in", "write 30s, 5m or 1h").total_seconds() if self.duration else 0
        since, until = records.extent()
        return Window(since, until, self.speed or (until - since) / MICROSECONDS / seconds)

    def share(self, text: str | None, window: Window) -> float:
        """How much of the window is left out at its beginning, 0 to 1.

        Args:
            text: A share such as ``40%``, or a time; None leaves out nothing.
            window: What is played.

        Raises:
            UsageError: It is neither, or outside the window.
        """
        if text is None:
            return 0.0
        try:
            found = float(text[:-1]) / 100 if text.endswith("%") else self._part(text, window)
        except ValueError:
            found = -1.0
        if not 0 <= found < 1:
            cause = "that is no share or time inside the window"
            raise UsageError(f"cannot start at {text}: {cause}; write --start-at 40%, or a time in it")
        return found

    def _part(self, text: str, window: Window) -> float:
        when = microseconds(moment(text, now=self.now, timezone=self.timezone))
        return (when - window.since) / (window.until - window.since)
