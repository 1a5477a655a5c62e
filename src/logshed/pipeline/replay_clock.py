"""Where a replay is: the time of a record becomes a place in the play, and a place a moment of the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is replayed, and how quickly.

    Attributes:
        since: Its first moment, in microseconds since 1970.
        until: The first moment after it.
        speed: Seconds of it that pass in a second of the play.
    """

    since: int
    until: int
    speed: float

    @property
    def length(self) -> float:
        """Seconds that the play takes."""
        return (self.until - self.since) / MICROSECONDS / self.speed

    def places(self, at: NDArray[np.int64], lap: int = 0) -> NDArray[np.float64]:
        """When records come, in seconds of play since the beginning of the first lap.

        Args:
            at: Their times, in microseconds since 1970.
            lap: How often the window was played before.
        """
        return lap * self.length + (at - self.since) / (MICROSECONDS * self.speed)

    def moment(self, share: float) -> int:
        """The time at a share of it, 0 to 1, in microseconds since 1970."""
        return self.since + round((self.until - self.since) * share)


class Clock:
    """The place of a play that runs, is paused and is moved.

    The place is the difference of the present and of one moment at which the play would have begun: nothing is added
    up, so no error is.

    Args:
        now: Gives the present in seconds; only differences count.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begin = now()
        self._paused: float | None = 0.0

    @property
    def paused(self) -> bool:
        """Whether it stands; a clock does until it is started."""
        return self._paused is not None

    @property
    def place(self) -> float:
        """Seconds of play since the beginning of the first lap."""
        return self._now() - self._begin if self._paused is None else self._paused

    def pause(self) -> None:
        """Stand from now on."""
        self._paused = self.place

    def start(self) -> None:
        """Run from the place at which it stands."""
        if self._paused is not None:
            self._begin, self._paused = self._now() - self._paused, None

    def move(self, place: float) -> None:
        """Be at another place; it goes on to stand or to run."""
        if self._paused is None:
            self._begin = self._now() - place
        else:
            self._paused = place
