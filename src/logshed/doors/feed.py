"""One stream of events for all who watch: gathered ten times a second, with what those need who were cut off."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from secrets import token_hex
from typing import TYPE_CHECKING, Literal, Protocol

from logshed.doors.tally import Tally
from logshed.doors.ticks import Gathering, Tick
from logshed.errors import LogshedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.live.events import Event, Events

TICK_SECONDS = 0.1
KEPT_TICKS, KEPT_BYTES = 300, 2**25
"""Ticks that are kept for those who come again, half a minute at most."""
QUEUED = 50
"""Ticks that may wait for a watcher; one who is slower by more than these five seconds is dropped."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds before a source that failed is asked again; each time twice as many."""
log = logging.getLogger(__name__)


class Told(Protocol):
    """What happened between two moments, as watchers are told it."""

    @property
    def number(self) -> int:
        """Counts up by one."""
        ...

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        ...

    def told(self, sees: Callable[[str], bool]) -> bytes:
        """The message for one who sees some collections; empty where nothing happened to them."""
        ...


class Gathers(Protocol):
    """Events since the last tick; false where there are none."""

    def add(self, events: Sequence[Event]) -> None:
        """Take some more."""
        ...

    def tick(self, number: int) -> Told:
        """All of it; the next begins empty."""
        ...


class Watcher:
    """One who watches.

    Args:
        sees: Which collections.
        missed: Ticks that happened since this one was cut off.
        gap: Whether there were more than those.
    """

    def __init__(self, sees: Callable[[str], bool], missed: list[Told], *, gap: bool) -> None:
        self.sees, self.missed, self.gap = sees, missed, gap
        self.ticks: asyncio.Queue[Told] = asyncio.Queue(QUEUED)
        self.over = asyncio.Event()


class Feed:
    """Reads events once, and hands them to all who watch.

    Args:
        events: Where they come from.
        gathering: What becomes of those of a tenth of a second; None tells of places, and of a few lines.

    Attributes:
        tally: What was seen of them so far, where places are told.
        number: Number of the newest tick.
        run: Names this run; numbers of another run mean nothing to it.
        state: ``live``; ``waiting`` while the source does not answer; ``ended`` when it has no more.
    """

    def __init__(self, events: Events, gathering: Gathers | None = None) -> None:
        self._events = events
        self._gathering: Gathers = Gathering() if gathering is None else gathering
        self._kept: deque[Told] = deque()
        self._size = 0
        self._watchers: set[Watcher] = set()
        self.tally = Tally()
        self.number = 0
        self.run = token_hex(4)
        self.state: Literal["live", "waiting", "ended"] = "live"

    @property
    def watching(self) -> int:
        """How many watch."""
        return len(self._watchers)

    async def flow(self) -> None:
        """Read and hand on until it is cancelled; a source that fails is asked again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._hand_on())

    def join(self, sees: Callable[[str], bool], last: str = "") -> Watcher:
        """Let somebody watch.

        Args:
            sees: Which collections.
            last: Id of the last tick that came to them before they were cut off, or nothing.
        """
        run, _, number = last.partition("-")
        known = run == self.run and number.isascii() and number.isdigit() and len(number) < 20  # noqa: PLR2004 - 64 bits
        missed = [tick for tick in self._kept if known and tick.number > int(number)]
        whole = known and (int(number) >= self.number or bool(missed and missed[0].number == int(number) + 1))
        watcher = Watcher(sees, missed if whole else [], gap=bool(last) and not whole)
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Hand nothing more to one."""
        self._watchers.discard(watcher)

    def close(self) -> None:
        """Send all away."""
        for watcher in self._watchers:
            watcher.over.set()

    async def _read(self) -> None:
        wait = FIRST_WAIT
        while self.state != "ended":
            try:
                async for batch in self._events.batches(None):
                    self._gathering.add(batch)
                    wait, self.state = FIRST_WAIT, "live"
                    await asyncio.sleep(0)
                self.state = "ended"
            except LogshedError as error:
                self.state = "waiting"
                log.warning("%s; trying again in %.0f s", error, wait)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)

    async def _hand_on(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self._gathering:
                self._tell(self._gathering.tick(self.number + 1))

    def _tell(self, tick: Told) -> None:
        self.number = tick.number
        if isinstance(tick, Tick):
            self.tally.add(tick)
        self._kept.append(tick)
        self._size += tick.size
        while len(self._kept) > KEPT_TICKS or self._size > KEPT_BYTES:
            self._size -= self._kept.popleft().size
        for watcher in list(self._watchers):
            if watcher.ticks.full():
                self.leave(watcher)
                watcher.over.set()
            else:
                watcher.ticks.put_nowait(tick)
