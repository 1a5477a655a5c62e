"""Gathers what happens within a tenth of a second into one small message for each collection."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.live.events import Event

    Spot = tuple[str, str, str, float | None, float | None]
    """Country, region, city, latitude, longitude."""

MOST_SPOTS = 300
"""Places that a tick tells of one collection, the busiest; counts of countries are whole whatever it leaves out."""
MOST_LINES = 3
MOST_PARTS = 200
"""Collections that one message tells of, the busiest; of the others it tells how many records they had."""
LONGEST_COLLECTION, LONGEST_NAME, LONGEST_LINE = 1_024, 80, 400
_KEY = itemgetter(1, 2, 3, 4, 5, 6)
"""Collection, country, region, city, latitude, longitude of an event."""
_COLLECTION = itemgetter(1)


class Part(NamedTuple):
    """What happened to one collection.

    Attributes:
        hits: Records.
        spots: How many of them came from where.
        lines: The newest lines with their times.
        told: All of this as JSON.
    """

    hits: int
    spots: list[tuple[Spot, int]]
    lines: list[tuple[float, str]]
    told: bytes


class Tick(NamedTuple):
    """What happened between two moments.

    Attributes:
        number: Counts up by one.
        parts: By collection, the busiest first.
        size: About how many bytes it takes.
    """

    number: int
    parts: dict[str, Part]
    size: int

    def told(self, sees: Callable[[str], bool]) -> bytes:
        """The message for one who sees some collections; empty where nothing happened to them."""
        seen = [(name, part) for name, part in self.parts.items() if sees(name)]
        if not seen:
            return b""
        shown, rest = seen[:MOST_PARTS], seen[MOST_PARTS:]
        by = b",".join(orjson.dumps(sound(name, LONGEST_COLLECTION)) + b":" + part.told for name, part in shown)
        return b'{"by":{%b},"more":%d}' % (by, sum(part.hits for _, part in rest))


class Gathering:
    """Events since the last tick; what it holds grows with the places, not with the events."""

    def __init__(self) -> None:
        self._spots: Counter[tuple[str, str, str, str, float | None, float | None]] = Counter()
        self._lines: defaultdict[str, deque[tuple[float, str]]] = defaultdict(lambda: deque(maxlen=MOST_LINES))

    def __bool__(self) -> bool:
        return bool(self._spots)

    def add(self, events: Sequence[Event]) -> None:
        """Take some more; of lines the newest of each collection."""
        self._spots.update(map(_KEY, events))
        for collection, event in dict(zip(map(_COLLECTION, events), events, strict=True)).items():
            self._lines[collection].append((event.at, event.line))

    def tick(self, number: int) -> Tick:
        """All of it as a tick; the next begins empty."""
        spots: defaultdict[str, list[tuple[Spot, int]]] = defaultdict(list)
        for (collection, country, region, city, latitude, longitude), hits in self._spots.items():
            spots[collection].append(((country, region, city, latitude, longitude), hits))
        parts = {name: _part(found, list(self._lines[name])) for name, found in spots.items()}
        self._spots, self._lines = Counter(), defaultdict(lambda: deque(maxlen=MOST_LINES))
        ordered = dict(sorted(parts.items(), key=lambda one: -one[1].hits))
        return Tick(number, ordered, sum(len(part.told) + len(part.spots) * 100 for part in parts.values()))


def _part(spots: list[tuple[Spot, int]], lines: list[tuple[float, str]]) -> Part:
    countries: Counter[str] = Counter()
    for spot, hits in spots:
        countries[sound(spot[0])] += hits
    shown = [
        [*(sound(text) for text in spot[:3]), _degrees(spot[3]), _degrees(spot[4]), hits]
        for spot, hits in heapq.nlargest(MOST_SPOTS, spots, key=itemgetter(1))
    ]
    told = {
        "n": countries.total(),
        "c": countries,
        "p": shown,
        "l": [[round(at, 3), sound(line, LONGEST_LINE)] for at, line in lines],
    }
    return Part(countries.total(), spots, lines, orjson.dumps(told))


def _degrees(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def sound(text: str, longest: int = LONGEST_NAME) -> str:
    """A text cut to a length, and without what UTF-8 cannot hold."""
    return text[:longest].encode("utf-8", "replace").decode()
