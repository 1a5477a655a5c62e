"""Gathers what happens within a tenth of a second into one small message for each collection."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.live.events import Event

    Spot = tuple[str, str, str, float | None, float | None]
    """Country, region, city, latitude, longitude."""

MOST_SPOTS = ((5, 300), (50, 30), (200, 7))
"""Places that a message tells of each collection, the busiest, by how many collections it tells of; so it tells of
1,500 at most. Counts of countries are whole whatever it leaves out."""
MOST_LINES = 3
MOST_PARTS = MOST_SPOTS[-1][0]
"""Collections that one message tells of, the busiest; of the others it tells how many records they had."""
BYTES_A_SPOT = 500
"""About what a place of a tick takes, with what is told of it."""
LONGEST_COLLECTION, LONGEST_NAME, LONGEST_LINE = 1_024, 80, 400
_KEY = itemgetter(1, 2, 3, 4, 5, 6)
"""Collection, country, region, city, latitude, longitude of an event."""
_COLLECTION = itemgetter(1)


@dataclass
class Part:
    """What happened to one collection.

    Attributes:
        spots: How many records came from where, the busiest first.
        lines: The newest lines with their times.
    """

    spots: list[tuple[Spot, int]]
    lines: list[tuple[float, str]]
    _told: dict[int, bytes] = field(default_factory=dict)

    @cached_property
    def hits(self) -> int:
        """Records."""
        return sum(hits for _, hits in self.spots)

    def told(self, most: int) -> bytes:
        """All of this as JSON, with so many places; made once for all who are told."""
        if most not in self._told:
            self._told[most] = _json(self, most)
        return self._told[most]


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
        most = next(most for parts, most in MOST_SPOTS if len(shown) <= parts)
        by = b",".join(orjson.dumps(sound(name, LONGEST_COLLECTION)) + b":" + part.told(most) for name, part in shown)
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
        parts = [
            (name, Part(sorted(found, key=itemgetter(1), reverse=True), list(self._lines[name])))
            for name, found in spots.items()
        ]
        size = BYTES_A_SPOT * len(self._spots)
        self._spots, self._lines = Counter(), defaultdict(lambda: deque(maxlen=MOST_LINES))
        return Tick(number, dict(sorted(parts, key=lambda one: -one[1].hits)), size)


def _json(part: Part, most: int) -> bytes:
    countries: Counter[str] = Counter()
    for spot, hits in part.spots:
        countries[sound(spot[0])] += hits
    shown = [
        [*(sound(text) for text in spot[:3]), _degrees(spot[3]), _degrees(spot[4]), hits]
        for spot, hits in part.spots[:most]
    ]
    lines = [[round(at, 3), sound(line, LONGEST_LINE)] for at, line in part.lines]
    return orjson.dumps({"n": part.hits, "c": countries, "p": shown, "l": lines})


def _degrees(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def sound(text: str, longest: int = LONGEST_NAME) -> str:
    """A text cut to a length, and without what UTF-8 cannot hold."""
    return text[:longest].encode("utf-8", "replace").decode()
