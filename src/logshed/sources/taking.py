"""Keeps account of what was taken of a log: which of its lines rest, and where to go on so that each comes once."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from logshed.sources.feeds import Arrival, Stream
from logshed.sources.generations import Generations, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.sources.feeds import Cursor, Sink
    from logshed.sources.sorting import Sorting

POSITION = "?position"
"""What the name of the stream ends with that has no lines and only says where to go on with a file."""


@dataclass(slots=True)
class _Chunk:
    """Lines that were handed over together.

    Attributes:
        end: The part as it was behind them.
        waiting: How many of them do not rest yet.
        dropped: How many were dropped, by why.
    """

    end: Part
    waiting: int
    dropped: dict[str, int]


@dataclass(slots=True)
class _Sent:
    """Lines of one stream and one chunk."""

    chunk: _Chunk
    ends: Sequence[int]
    rested: int = 0


@dataclass(slots=True)
class _Line:
    """A stream: what of it was handed over, and up to where it rests, by the number of the part."""

    stream: Stream
    at: dict[str, int]
    sent: deque[_Sent] = field(default_factory=deque)


class Taking:
    """The account of one log.

    The stream of a file's position has no lines. Its cursor stands behind the last lines before which all rest,
    whatever streams they went to; each stream's own cursor says which of the lines behind that it has already.

    Args:
        stream: The log's stream, without a collection of its own.
        path: The log's path.
        key: Key of the hashes in cursors.
        sink: Knows the cursors.
        sorting: Which lines are kept, and to which collections they belong.

    Attributes:
        files: The files that the log has been.
        dropped: How many of its lines were left out, by why.
    """

    def __init__(self, stream: Stream, path: str, key: bytes, sink: Sink, sorting: Sorting) -> None:
        self._stream = stream
        self._position = replace(stream, source=f"{stream.source}{POSITION}", collection="")
        self._sink = sink
        self._sorting = sorting
        self._lines: dict[str, _Line] = {}
        self._chunks: deque[_Chunk] = deque()
        self._lock = threading.Lock()
        known = sink.cursor(self._position)
        parts = [Part.of(one) for one in known.get("parts", ())]
        self._rested = {part.number: replace(part) for part in parts}
        self.dropped: Counter[str] = Counter(known.get("dropped", {}))
        self._dropped = Counter(self.dropped)  # of lines before the position
        self.files = Generations(path, key, parts, int(known.get("following", 1)))

    @property
    def is_behind(self) -> bool:
        """Whether lines rest of which the position does not know yet."""
        with self._lock:
            return bool(self._chunks) and not self._chunks[0].waiting

    def arrivals(self, part: Part, before: bytes, taken: bytes) -> list[Arrival]:
        """Lines to hand over in one go: those of each stream, and behind them the position.

        Args:
            part: The part that they are of.
            before: What lies before them.
            taken: The lines, each with its line feed.
        """
        lines = taken.removesuffix(b"\n").split(b"\n")
        ends = list(accumulate((len(line) + 1 for line in lines), initial=part.offset))[1:]
        by_collection, dropped = self._sorting.sorted(lines)
        self.dropped.update(dropped)
        self.files.reached(part, before, taken)
        chunk = _Chunk(replace(part, entry=None), 0, dropped)
        found = []
        with self._lock:
            for collection, rows in by_collection.items():
                own = self._line(collection)
                skipped = bisect_right([ends[row] for row in rows], own.at.get(str(part.number), 0))
                if rest := rows[skipped:]:
                    sent = _Sent(chunk, [ends[row] for row in rest])
                    chunk.waiting += len(rest)
                    own.sent.append(sent)
                    found.append(Arrival(own.stream, [lines[row] for row in rest], self._behind(own, sent)))
            self._chunks.append(chunk)
        return [*found, self.position()]

    def position(self) -> Arrival:
        """What says how far the log rests."""
        return Arrival(self._position, [], lambda _: self._where())

    def _line(self, collection: str) -> _Line:
        if collection not in self._lines:
            # What tells the collection stands on every line, so none goes on with another.
            joins = not collection or collection == self._sorting.unmatched
            stream = replace(self._stream, collection=collection or self._stream.collection, joins=joins)
            at = {str(number): int(end) for number, end in self._sink.cursor(stream).get("at", {}).items()}
            self._lines[collection] = _Line(stream, at)
        return self._lines[collection]

    def _behind(self, own: _Line, sent: _Sent) -> Callable[[int], Cursor]:
        def cursor(count: int) -> Cursor:
            with self._lock:
                if sent.rested < count:
                    while own.sent[0] is not sent:
                        self._rests(own, own.sent[0], len(own.sent[0].ends))
                    self._rests(own, sent, count)
                return {"at": dict(own.at)}

        return cursor

    def _rests(self, own: _Line, sent: _Sent, count: int) -> None:
        sent.chunk.waiting -= count - sent.rested
        sent.rested = count
        own.at[str(sent.chunk.end.number)] = sent.ends[count - 1]
        if count == len(sent.ends):
            own.sent.popleft()

    def _where(self) -> dict[str, Any]:
        """The position's cursor: before it everything rests."""
        with self._lock:
            while self._chunks and not self._chunks[0].waiting:
                chunk = self._chunks.popleft()
                self._rested[chunk.end.number] = chunk.end
                self._dropped.update(chunk.dropped)
            live = {part.number: part for part in list(self.files.parts)}
            waiting = {chunk.end.number for chunk in self._chunks}
            kept = [self._now(number, live.get(number)) for number in sorted(live.keys() | waiting)]
            for own in self._lines.values():
                own.at = {number: end for number, end in own.at.items() if int(number) in live.keys() | waiting}
            return {
                "parts": [part.as_dict() for part in kept],
                "following": self.files.following,
                "dropped": dict(self._dropped),
            }

    def _now(self, number: int, live: Part | None) -> Part:
        """A part as it rests, where it lies now; one of which no lines rest is noted to keep its number."""
        rested = self._rested.get(number)
        if live is None:
            return rested or Part(number, "")
        if rested is None:
            return replace(live, offset=0, tail_size=0, tail="", entry=None)
        return replace(rested, inode=live.inode or rested.inode, changed=live.changed)
