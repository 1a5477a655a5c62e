"""What a canary has sent, line by line, and what it keeps of that in the lake's folder for a later check."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from logshed.errors import LogshedError, UsageError
from logshed.lake.folder import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FOLDER = "canary"
"""The folder inside the lake's."""
RUN = re.compile(r"[a-z]{4,16}")
"""An id of a run: letters alone, so that no rule of redaction takes it for a secret or a number of a person."""
KEPT = 200
"""Books that stay: those of the newest runs."""
_FIRST_ROOM = 1024


class Sent:
    """The lines of one stream, numbered from 0 on: when each was sent, whether it was taken, when it was seen.

    Threads share it: one that sends, one that looks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._micros = np.zeros(_FIRST_ROOM, np.int64)
        self._taken = np.zeros(_FIRST_ROOM, np.bool_)
        self._seen = np.zeros(_FIRST_ROOM, np.int64)

    def __len__(self) -> int:
        return self._count

    @property
    def micros(self) -> NDArray[np.int64]:
        """When each was sent, in microseconds since 1970."""
        return self._micros[: self._count]

    @property
    def taken(self) -> NDArray[np.bool_]:
        """Whether each was acknowledged."""
        return self._taken[: self._count]

    @property
    def seen(self) -> NDArray[np.int64]:
        """When each was first seen in the lake, in microseconds since 1970; 0 where it was not."""
        return self._seen[: self._count]

    def add(self, micros: NDArray[np.int64]) -> int:
        """Note lines that are about to be sent, and return the number of the first."""
        with self._lock:
            first, self._count = self._count, self._count + len(micros)
            if self._count > len(self._micros):
                room = max(2 * len(self._micros), self._count)
                for name in ("_micros", "_taken", "_seen"):
                    old = getattr(self, name)
                    grown = np.zeros(room, old.dtype)
                    grown[:first] = old[:first]
                    setattr(self, name, grown)
            self._micros[first : self._count] = micros
            return first

    def take(self, first: int, count: int) -> None:
        """Note that lines were acknowledged."""
        with self._lock:
            self._taken[first : first + count] = True

    def see(self, numbers: NDArray[np.int64], micros: int) -> int:
        """Note that lines are in the lake, and return how many are there for the first time."""
        with self._lock:
            numbers = np.unique(numbers[(numbers >= 0) & (numbers < self._count)])
            fresh = numbers[self._seen[numbers] == 0]
            self._seen[fresh] = micros
            return len(fresh)


@dataclass(slots=True)
class Book:
    """What is known of a run.

    Attributes:
        run: Its id.
        to: Where it sent to.
        begun: When, in microseconds since 1970.
        acknowledges: Whether the protocol tells that lines were taken.
        ended: Whether it came to its end.
        streams: What was sent.
    """

    run: str
    to: str
    begun: int
    acknowledges: bool = True
    ended: bool = False
    streams: list[Sent] = field(default_factory=list)

    def save(self, root: Path) -> None:
        """Keep it in the lake's folder.

        Raises:
            LogshedError: It cannot be written.
        """
        streams = [{"sent": len(sent), "taken": ranges(np.flatnonzero(sent.taken))} for sent in self.streams]
        about = {"run": self.run, "to": self.to, "begun": self.begun, "acknowledges": self.acknowledges}
        path = _path(root, self.run)
        try:
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, orjson.dumps({**about, "ended": self.ended, "streams": streams}).decode() + "\n")
        except OSError as error:
            raise LogshedError(f"cannot write {path}: {error.strerror}; free some space, or check the path") from None

    def end(self, root: Path) -> None:
        """Keep it as that of a run that is over, and let go of the oldest ones.

        Raises:
            LogshedError: It cannot be written.
        """
        self.ended = True
        self.save(root)
        for path in newest(root)[KEPT:]:
            path.unlink(missing_ok=True)

    @classmethod
    def load(cls, root: Path, run: str) -> Book | None:
        """The book of an earlier run; None where this folder has none. When lines were sent is not kept.

        Raises:
            UsageError: It is no id of a run.
            LogshedError: It cannot be read.
        """
        if RUN.fullmatch(run) is None:
            raise UsageError(f"cannot check the run {run!r}: it is no id of a run; give the one that a canary told")
        path = _path(root, run)
        try:
            found: dict[str, Any] = orjson.loads(path.read_bytes())
            book = cls(found["run"], found["to"], found["begun"], found["acknowledges"], found["ended"])
            for one in found["streams"]:
                sent = Sent()
                sent.add(np.zeros(one["sent"], np.int64))
                for first, last in one["taken"]:
                    sent.take(first, last - first + 1)
                book.streams.append(sent)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LogshedError(f"cannot read {path}: {error}; move it away, and the lake alone is asked") from None
        return book


def newest(root: Path) -> list[Path]:
    """The books in a lake's folder, the newest first; without those that another run takes away meanwhile."""
    found: dict[Path, int] = {}
    for path in (root / FOLDER).glob("*.json"):
        with suppress(FileNotFoundError):
            found[path] = path.stat().st_mtime_ns
    return sorted(found, key=lambda path: found[path], reverse=True)


def ranges(numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Sorted numbers as ranges, both ends among them."""
    if not len(numbers):
        return []
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    firsts, lasts = np.concatenate(([0], breaks + 1)), np.concatenate((breaks, [len(numbers) - 1]))
    return [(int(numbers[first]), int(numbers[last])) for first, last in zip(firsts, lasts, strict=True)]


def _path(root: Path, run: str) -> Path:
    return root / FOLDER / f"{run}.json"
