"""Gathers the lines that come within a tenth of a second, for those who read along; of very many the newest."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import orjson

from logshed.doors.ticks import LONGEST_COLLECTION, sound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.live.events import Event

MOST_LINES = 60
"""Lines of a collection that a message has: 600 a second, which is more than anybody reads."""
LONGEST_LINE = 4_000
BYTES_A_LINE = 400
"""About what a line of a tick takes."""


@dataclass
class LinePart:
    """What came of one collection.

    Attributes:
        hits: Records.
        lines: The newest of them with their times.
    """

    hits: int
    lines: list[tuple[float, str]]

    @cached_property
    def told(self) -> bytes:
        """All of this as JSON; made once for all who are told."""
        lines = [[round(at, 3), sound(line, LONGEST_LINE)] for at, line in self.lines]
        return orjson.dumps({"n": self.hits, "l": lines})


class LineTick(NamedTuple):
    """Lines that came between two moments.

    Attributes:
        number: Counts up by one.
        parts: By collection.
        size: About how many bytes it takes.
    """

    number: int
    parts: dict[str, LinePart]
    size: int

    def told(self, sees: Callable[[str], bool]) -> bytes:
        """The message for one who sees some collections; empty where nothing came of them."""
        seen = [(name, part.told) for name, part in self.parts.items() if sees(name)]
        by = b",".join(orjson.dumps(sound(name, LONGEST_COLLECTION)) + b":" + told for name, told in seen)
        return b'{"by":{%b}}' % by if seen else b""


class Lines:
    """Lines since the last tick."""

    def __init__(self) -> None:
        self._hits: Counter[str] = Counter()
        self._lines: defaultdict[str, deque[tuple[float, str]]] = defaultdict(lambda: deque(maxlen=MOST_LINES))

    def __bool__(self) -> bool:
        return bool(self._hits)

    def add(self, events: Sequence[Event]) -> None:
        """Take some more."""
        for event in events:
            self._hits[event.collection] += 1
            self._lines[event.collection].append((event.at, event.line))

    def tick(self, number: int) -> LineTick:
        """All of it as a tick; the next begins empty."""
        parts = {name: LinePart(hits, list(self._lines[name])) for name, hits in self._hits.items()}
        size = BYTES_A_LINE * sum(len(part.lines) for part in parts.values())
        self._hits, self._lines = Counter(), defaultdict(lambda: deque(maxlen=MOST_LINES))
        return LineTick(number, parts, size)
