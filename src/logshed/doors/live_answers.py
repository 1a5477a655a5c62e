"""What is told of live events to those who may see them: collections, countries, places, newest lines."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.concurrency import run_in_threadpool

from logshed.doors.ticks import LONGEST_COLLECTION, sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from logshed.access import Grant
    from logshed.doors.feed import Feed
    from logshed.doors.readable import Readable

MOST_SHOWN = 1_000
"""Collections that are listed, and lines that are shown."""
MOST_COUNTED = 1_000
"""Collections whose countries are added up for one who may not see all; those with most records."""
MOST_PLACED = 50
"""Collections whose places are put together."""
TRIES = 5
T = TypeVar("T")


class LiveAnswers:
    """Answers for those who may see some collections.

    Each answer but the lines has ``run`` and ``number``: up to which tick of which run of the feed it counts.

    Args:
        feed: Events as they happen.
        store: Where totals and lines are read; None takes what the feed has seen.
    """

    def __init__(self, feed: Feed, store: Readable | None) -> None:
        self._feed = feed
        self.stored = store is not None
        self._read: Readable = feed.tally if store is None else store

    async def collections(self, grant: Grant) -> dict[str, Any]:
        """The collections and their hits, those with most first; ``more`` are not named."""
        known, number = await self._steady(lambda: self._known(grant))
        shown = [{"collection": sound(name, LONGEST_COLLECTION), "hits": hits} for name, hits in known[:MOST_SHOWN]]
        total = sum(hits for _, hits in known)
        return self._told(number, collections=shown, more=len(known) - len(shown), hits=total)

    async def countries(self, grant: Grant, chosen: str | None) -> dict[str, Any]:
        """Countries with their hits, of one collection or of all that may be seen."""

        def read() -> Counter[str]:
            if chosen is not None or grant.unlimited:
                return Counter(dict(self._read.countries(chosen)))
            return _sum(self._read.countries(name) for name, _ in self._known(grant)[:MOST_COUNTED])

        counts, number = await self._steady(read)
        found = [{"country": sound(name), "hits": hits} for name, hits in counts.most_common() if name]
        return self._told(number, countries=found)

    async def locations(self, grant: Grant, chosen: str | None, top: int) -> dict[str, Any]:
        """Places with their hits, of one collection or of those with most records."""

        def read() -> Counter[str]:
            names = [name for name, _ in self._known(grant)[:MOST_PLACED]] if chosen is None else [chosen]
            return _sum(self._read.locations(name, top) for name in names)

        counts, number = await self._steady(read)
        return self._told(number, locations=[_place(place, hits) for place, hits in counts.most_common(top)])

    async def lines(self, chosen: str, last: int) -> dict[str, Any]:
        """The newest lines of a collection with their times, the oldest first."""
        found = await run_in_threadpool(lambda: list(self._read.lines(chosen, last=last)))
        return {"lines": [{"at": at, "line": sound(line, len(line))} for at, line in found]}

    def _known(self, grant: Grant) -> Sequence[tuple[str, int]]:
        """The collections that may be read, those with most records first."""
        seen = [one for one in self._read.known() if grant.allows("read", one[0])]
        return sorted(seen, key=itemgetter(1), reverse=True)

    async def _steady(self, read: Callable[[], T]) -> tuple[T, int]:
        """What is read, and the number of the tick up to which it counts.

        A tick that is counted while it is read would be neither before nor behind, so it is read again. A store counts
        by itself, a little ahead of the ticks.
        """
        for _ in range(TRIES):
            number = self._feed.number
            found = await run_in_threadpool(read)
            if self.stored or self._feed.number == number:
                break
        return found, number

    def _told(self, number: int, **found: object) -> dict[str, Any]:
        return {**found, "run": self._feed.run, "number": number}


def _sum(counts: Iterable[Sequence[tuple[str, int]]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(dict(one))
    return total


def _place(place: str, hits: int) -> dict[str, str | int]:
    country, _, rest = sound(place).partition("-")
    region, _, city = rest.partition("-")
    return {"country": country, "region": region, "city": city, "hits": hits}
