"""The live feeds of the process: the hot store's, for maps and for tails, and replays of the lake, one a person."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Literal, NamedTuple

from starlette.exceptions import HTTPException

from logshed.doors.feed import Feed
from logshed.doors.line_ticks import Lines
from logshed.doors.live_answers import LiveAnswers
from logshed.errors import OverloadedError

if TYPE_CHECKING:
    from logshed.live.reading import HotReader
    from logshed.pipeline.replay_events import ReplayEvents
    from logshed.pipeline.replay_words import Words
    from logshed.settings import Settings
    from logshed.web.site import Site
    from logshed.web.who import Person

IDLE_SECONDS = 60.0
"""So long a feed goes on that nobody watches."""
LOOK_SECONDS = 5.0
FIGURES_SECONDS = 3.0
MOST_REPLAYS = 20
AGAIN_SECONDS = 30.0
Kind = Literal["map", "tail"]
log = logging.getLogger(__name__)


class Figures(NamedTuple):
    """How the hot store is.

    Attributes:
        bytes: In use.
        most_bytes: Its ``maxmemory``; 0 where there is none.
        rebuilding: Since when it is rebuilt; empty where it is whole.
        kept: Lines that are kept of each collection.
    """

    bytes: int
    most_bytes: int
    rebuilding: str
    kept: dict[str, int]


@dataclass
class Running:
    """A feed that flows.

    Attributes:
        feed: The feed.
        answers: Totals of it.
        flow: What lets it flow.
        events: The replay that it shows, if it is one.
        name: Of a replay, its id.
        owner: Of a replay, whose it is.
        used: When somebody last asked for it.
    """

    feed: Feed
    answers: LiveAnswers
    flow: asyncio.Task[None]
    events: ReplayEvents | None = None
    name: str = ""
    owner: str = ""
    used: float = field(default_factory=time.monotonic)


class Watching:
    """Opens feeds when somebody wants to watch, and closes them when nobody does.

    Args:
        settings: Where the hot store is.
        ending: Set when all who watch are to be sent away.
    """

    def __init__(self, settings: Settings, ending: asyncio.Event) -> None:
        self._settings, self._ending = settings, ending
        self._opening = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._figures: tuple[float, Figures] | None = None
        self._store: HotReader | None = None
        self._hot: dict[Kind, Running] = {}
        self._replays: dict[str, Running] = {}
        self._care: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to look after them."""
        self._care = [asyncio.create_task(self._tidy()), asyncio.create_task(self._end())]

    async def stop(self) -> None:
        """End all of them."""
        flows = [one.flow for one in (*self._hot.values(), *self._replays.values())]
        for task in (*self._care, *flows):
            task.cancel()
        await asyncio.gather(*self._care, *flows, return_exceptions=True)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    @property
    def watching(self) -> int:
        """How many watch."""
        return sum(one.feed.watching for one in (*self._hot.values(), *self._replays.values()))

    async def store(self) -> HotReader:
        """The hot store.

        Raises:
            LiveError: It cannot be reached or is not fit.
        """
        from logshed.live.reading import HotReader  # noqa: PLC0415 - an extra

        async with self._opening:
            if self._store is None:
                self._store = await asyncio.to_thread(HotReader.open, self._settings.live, 1)
            return self._store

    async def figures(self) -> Figures:
        """How the hot store is, looked at anew every few seconds however many ask.

        Raises:
            LiveError: It cannot be reached or is not fit.
        """
        async with self._looking:
            now = time.monotonic()
            if self._figures is None or now - self._figures[0] > FIGURES_SECONDS:
                store = await self.store()
                self._figures = now, await asyncio.to_thread(_looked, store)
            return self._figures[1]

    async def hot(self, kind: Kind) -> Running:
        """The hot store's feed: of places for maps, of lines for tails.

        Raises:
            LiveError: The hot store cannot be reached or is not fit.
        """
        store = await self.store()
        if kind not in self._hot:
            feed = Feed(store.subscriber(), Lines() if kind == "tail" else None)
            self._hot[kind] = Running(feed, LiveAnswers(feed, store), asyncio.create_task(feed.flow()))
        found = self._hot[kind]
        found.used = time.monotonic()
        return found

    async def begin(self, site: Site, person: Person, words: Words, start: str | None, *, loop: bool) -> Running:
        """Begin a replay; another of the same person ends.

        Args:
            site: Whose lake is replayed, as the person sees it.
            person: Who watches.
            words: What is replayed.
            start: Where in it to begin: a share such as ``40%``, or a time.
            loop: Whether it begins anew at its end.

        Raises:
            ReplayError: There is no record in it.
            UsageError: The words say nothing that can be replayed.
            OverloadedError: Too many replays run.
        """
        from logshed.pipeline.replay_events import ReplayEvents  # noqa: PLC0415 - heavy
        from logshed.pipeline.replay_records import LakeRecords  # noqa: PLC0415 - heavy

        for one in [one for one in self._replays.values() if one.owner == person.name]:
            self._close(one)
        if len(self._replays) >= MOST_REPLAYS:
            raise OverloadedError(
                f"cannot replay: {MOST_REPLAYS} replays run; wait until one ends", after=AGAIN_SECONDS
            )
        records = LakeRecords(site.lake(person).ask, words.wanted)
        window = await site.pool.run(person, words.window, records)
        events = ReplayEvents(records, window, loop)
        events.clock.move(words.share(start, window) * window.length)
        feed = Feed(events)
        events.begins = lambda: feed.watching > 0
        flow = asyncio.create_task(feed.flow())
        made = Running(feed, LiveAnswers(feed, None), flow, events, token_hex(8), person.name)
        self._replays[made.name] = made
        return made

    def replay(self, name: str, person: Person) -> Running:
        """A replay of somebody's own.

        Raises:
            HTTPException: There is none of that id, or it is another's.
        """
        found = self._replays.get(name)
        if found is None or found.owner != person.name:
            raise HTTPException(404, "there is no such replay; it ends a minute after the last has watched it")
        found.used = time.monotonic()
        return found

    def end(self, running: Running) -> None:
        """End a replay."""
        self._close(running)

    def _close(self, running: Running) -> None:
        running.feed.close()
        running.flow.cancel()
        self._replays.pop(running.name, None)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            for one in (*self._hot.values(), *self._replays.values()):
                one.used = now if one.feed.watching else one.used
            for kind, one in list(self._hot.items()):
                if _over(one, now):
                    del self._hot[kind]
                    self._close(one)
            for one in [one for one in self._replays.values() if _over(one, now)]:
                self._close(one)

    async def _end(self) -> None:
        await self._ending.wait()
        for one in (*self._hot.values(), *self._replays.values()):
            one.feed.close()


def _looked(store: HotReader) -> Figures:
    return Figures(*store.memory(), store.rebuilding(), dict(store.sizes()))


def _over(running: Running, now: float) -> bool:
    """Whether nobody has watched for long, or it broke: those who watch are sent away then, and come again."""
    if running.flow.done() and not running.flow.cancelled() and (error := running.flow.exception()):
        log.error("a live feed broke", exc_info=error)
        return True
    return now - running.used > IDLE_SECONDS
