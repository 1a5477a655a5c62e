"""Counts what a door has seen since it opened, for replays and wherever there is no store; bounded, in memory."""

from __future__ import annotations

import heapq
import threading
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logshed.doors.ticks import Tick

MOST_COLLECTIONS = 10_000
"""Collections that are counted; of later ones nothing is kept."""
MOST_PLACES = 2_000
"""Places of a collection; when there are more, the half with fewer hits is forgotten."""
MOST_LINES = 200
LONGEST_LINE = 2_000


@dataclass
class _Seen:
    hits: int = 0
    countries: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    lines: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MOST_LINES))


class Tally:
    """What was seen, readable like the hot store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: defaultdict[str, _Seen] = defaultdict(_Seen)

    def add(self, tick: Tick) -> None:
        """Count a tick in."""
        with self._lock:
            for name, part in tick.parts.items():
                if name not in self._seen and len(self._seen) >= MOST_COLLECTIONS:
                    continue
                seen = self._seen[name]
                seen.hits += part.hits
                for (country, region, city, _, _), hits in part.spots:
                    seen.countries[country] += hits
                    seen.places[f"{country}-{region}-{city}"] += hits
                seen.lines.extend((at, line[:LONGEST_LINE]) for at, line in part.lines)
                if len(seen.places) > MOST_PLACES:
                    seen.places = Counter(dict(seen.places.most_common(MOST_PLACES // 2)))

    def known(self) -> list[tuple[str, int]]:
        """Collections with how many records each has had."""
        with self._lock:
            return [(name, seen.hits) for name, seen in self._seen.items()]

    def lines(self, collection: str, *, last: int | None = None) -> list[tuple[float, str]]:
        """Some of the newest lines (a door sees but a few of each tenth of a second), the oldest first."""
        with self._lock:
            found = sorted(self._seen[collection].lines) if collection in self._seen else []
        return found if last is None else found[-last:]

    def locations(self, collection: str, top: int) -> list[tuple[str, int]]:
        """Places with their counts, the greatest first."""
        with self._lock:
            return self._seen[collection].places.most_common(top) if collection in self._seen else []

    def countries(self, collection: str | None) -> list[tuple[str, int]]:
        """Countries with their counts, the greatest first."""
        with self._lock:
            chosen = self._seen.values() if collection is None else [self._seen.get(collection, _Seen())]
            total: Counter[str] = Counter()
            for seen in chosen:
                total.update(seen.countries)
        return heapq.nlargest(len(total), total.items(), key=itemgetter(1))
