"""What ``docker logs --timestamps`` prints, as lines of the format ``cri``, and where to go on after each."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from logshed.sources.hosts import WORDS_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.sources.feeds import Cursor

TIME_LETTERS = 30
"""Docker's times have nine digits of a second and end in Z, so they can be compared as text."""
_TIME = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z "
_TIMED = re.compile(_TIME)
_BEGINS = re.compile(rb"^(" + _TIME + rb")", re.MULTILINE)
PIECE_BYTES = 16_384
"""Docker keeps a longer line in pieces of this size, all with the time of the first."""
_REPLACED = "\N{REPLACEMENT CHARACTER}".encode()
_STARTING_S = 5
"""A program may write so long before Docker counts it as started."""
SAME = 1_000
"""Lines of one time that a cursor tells apart by digests; of those before them it has the number."""
_DIGEST_BYTES = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where one output of a container goes on.

    Attributes:
        time: Time of the last line.
        same: Digests of the lines of that time, in their order.
        before: How many lines of that time there are before those.
        start: From when on the output was asked for.
    """

    time: str = ""
    same: tuple[str, ...] = ()
    before: int = 0
    start: str = ""

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        """The place that a cursor tells."""
        same = tuple(str(one) for one in cursor.get("same", ()))
        return cls(str(cursor.get("time", "")), same, int(cursor.get("before", 0)), str(cursor.get("start", "")))

    def cursor(self) -> dict[str, Any]:
        """The cursor that tells it."""
        return {"time": self.time, "same": list(self.same), "before": self.before, "start": self.start}

    def after(self, lines: Sequence[bytes], key: bytes) -> Place:
        """The place after some lines."""
        if not lines:
            return self
        last = lines[-1][:TIME_LETTERS]
        first = len(lines) - 1
        while first and lines[first - 1][:TIME_LETTERS] == last:
            first -= 1
        same = tuple(digest(line, key) for line in lines[first:][-SAME:])
        before = len(lines) - first - len(same)
        if first == 0 and self.time == last.decode():
            before += self.before + len(self.same)
            kept = (*self.same, *same)[-SAME:]
            same, before = kept, before + len(same) - len(kept)
        return replace(self, time=last.decode(), same=same, before=before)


def digest(line: bytes, key: bytes) -> str:
    """What a cursor knows a line by; without the key nobody can try out what it says."""
    text = line[:TIME_LETTERS] + line[TIME_LETTERS:].split(b" ", 3)[3]
    return blake2b(text, digest_size=_DIGEST_BYTES, key=key).hexdigest()


class Output:
    """One output of a container, from bytes to lines.

    Args:
        name: ``stdout`` or ``stderr``.
        place: Where to go on: lines up to there are left out.
        key: Key of the digests.
        started: When the container was last started, as Docker tells it.

    Attributes:
        words: What Docker itself said: lines without a time.
    """

    def __init__(self, name: str, place: Place, key: bytes, started: str = "") -> None:
        self.words = b""
        self._whole, self._partial = f"{name} F ".encode(), f"{name} P ".encode()
        self._key = key
        self._rest = b""
        self._started, self._starting = fixed(started), fixed(started, -_STARTING_S)
        self._place: Place | None = place if place.time else None
        self._passed = 0
        self._known = Counter(place.same)

    def feed(self, data: bytes) -> list[bytes]:
        """Lines that became whole."""
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        lines = self._lines(data[:end]) if end else []
        if len(self._rest) > 4 * PIECE_BYTES and _TIMED.match(self._rest):
            *pieces, last = self._pieces(self._rest)  # so that memory does not grow with the line
            lines += [self._marked(piece, self._partial) for piece in pieces]
            self._rest = last
        return self._new(lines)

    def finish(self) -> list[bytes]:
        """The last line, where the container ended it with no line feed."""
        rest, self._rest = self._rest, b""
        return self._new(self._lines(rest + b"\n")) if rest else []

    def _lines(self, data: bytes) -> list[bytes]:
        lines = data[:-1].split(b"\n")
        if not self._started and max(map(len, lines)) <= PIECE_BYTES + TIME_LETTERS:
            marked, number = _BEGINS.subn(rb"\1" + self._whole, data)
            if number == len(lines):
                return marked[:-1].split(b"\n")
        return [one for line in lines for one in self._line(line)]

    def _line(self, line: bytes) -> list[bytes]:
        """What one line of Docker's is: pieces of a long one, or two where a container ended with no line feed."""
        if not _TIMED.match(line):
            self.words = (self.words + line + b"\n")[-WORDS_BYTES:]
            return []
        *pieces, last = self._pieces(line)
        found = [self._marked(piece, self._partial) for piece in pieces]
        if self._started and line[:TIME_LETTERS] >= self._started:
            self._started = b""
        if self._started:
            begun = (one.start() for one in _TIMED.finditer(last, TIME_LETTERS) if one[0] >= self._starting)
            if at := next(begun, 0):
                return [*found, self._marked(last[:at], self._whole), *self._line(last[at:])]
        return [*found, self._marked(last, self._whole)]

    def _pieces(self, line: bytes) -> list[bytes]:
        """Pieces of a long line: each has the time of the first before it, which Docker prints into the line."""
        head, begin, found = line[: TIME_LETTERS + 1], 0, []
        while (at := line.find(head, begin + len(head) + PIECE_BYTES)) > 0:
            grown = line.count(_REPLACED, begin, at) * (len(_REPLACED) - 1)  # a byte that is no UTF-8 became three
            if at - begin - len(head) > PIECE_BYTES + grown:
                break
            found.append(line[begin:at])
            begin = at
        return [*found, line[begin:]]

    def _new(self, lines: list[bytes]) -> list[bytes]:
        """The lines behind the place to go on at."""
        if self._place is None:
            return lines
        time = self._place.time.encode()
        found: list[bytes] = []
        for number, line in enumerate(lines):
            if line[:TIME_LETTERS] > time:
                self._place = None
                return found + lines[number:]
            if line[:TIME_LETTERS] == time:
                found += self._unknown(line, self._place)
        return found

    def _unknown(self, line: bytes, place: Place) -> list[bytes]:
        """What is new of a line with the time of the place."""
        self._passed += 1
        if self._passed <= place.before or self._was(line):
            return []
        for one in _TIMED.finditer(line, TIME_LETTERS):  # it was the last line of a run, with no line feed
            if self._was(line[: one.start()]):
                return [self._marked(line[one.start() :], self._whole)]
        return [line]

    def _was(self, line: bytes) -> bool:
        found = digest(line, self._key)
        if self._known[found] <= 0:
            return False
        self._known[found] -= 1
        return True

    @staticmethod
    def _marked(line: bytes, mark: bytes) -> bytes:
        return line[: TIME_LETTERS + 1] + mark + line[TIME_LETTERS + 1 :]


def fixed(time: str, seconds: float = 0) -> bytes:
    """A time of Docker's state with nine digits, as its logs have it; empty where there is none.

    Args:
        time: ``2026-01-05T10:00:00.12Z``.
        seconds: What to add.
    """
    found = re.fullmatch(r"([0-9T:-]{19})(?:\.([0-9]{1,9}))?Z", time)
    if found is None or time.startswith("0001"):
        return b""
    moment = datetime.fromisoformat(f"{found[1]}+00:00") + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(found[2] or ''):0<9}Z".encode()
