"""Brings dead letters into the spool again, once their format or decoder was mended, each exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.spool.letters import letters_of
from logshed.spool.writer import Piece

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.spool.dead import DeadLetters
    from logshed.spool.letters import Letter
    from logshed.spool.writer import Spool

SOURCE = "dead:"
"""What names of sources begin with that were dead letters."""
BATCH_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it.

    Attributes:
        letters: Letters whose text is in the spool now.
        unreadable: Letters without text, and lines that are none.
        files: Files that were put away.
    """

    letters: int
    unreadable: int
    files: int


def replay(dead: DeadLetters, spool: Spool, collection: str) -> Replayed:
    """Append the texts of dead letters to a spool, as raw lines of the source ``dead:<protocol>``.

    How far a file has come rests with its lines, as the cursor of their streams: after a crash it goes on there,
    however long that is ago. (Ids would be forgotten after an hour.)

    Args:
        dead: The letters; nobody else writes them meanwhile.
        spool: Where they go.
        collection: Of letters that have none.

    Raises:
        SpoolFullError: There is no room; what is in the spool by now does not go there again.
        SpoolError: They cannot be read or written.
    """
    letters = unreadable = files = 0
    with dead.locked():
        for path in dead.waiting():
            batch = _Batch(path, spool, collection)
            for number, one in enumerate(letters_of(path), start=1):
                batch.take(number, one)
            batch.write()
            dead.put_away(path)
            letters, unreadable, files = letters + batch.letters, unreadable + batch.unreadable, files + 1
    return Replayed(letters, unreadable, files)


class _Batch:
    """The letters of a file on their way into the spool."""

    def __init__(self, path: Path, spool: Spool, collection: str) -> None:
        self.letters = 0
        self.unreadable = 0
        self._path = path
        self._spool = spool
        self._collection = collection
        self._size = 0
        self._lines: dict[tuple[str, str], list[bytes]] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def take(self, number: int, one: Letter | None) -> None:
        if one is None or one.text is None or not one.text.strip():
            self.unreadable += 1
            return
        key = (f"{SOURCE}{one.protocol}", one.collection or self._collection)
        told = self._spool.cursor(*key)
        if told.get("file") == self._path.name and number <= int(told["line"]):
            return
        self._lines.setdefault(key, []).append(one.text.rstrip("\n").encode() + b"\n")
        self._numbers[key] = number
        self.letters += 1
        self._size += len(one.text)
        if self._size >= BATCH_BYTES:
            self.write()

    def write(self) -> None:
        pieces = [
            Piece(*key, b"".join(lines), {"file": self._path.name, "line": self._numbers[key]})
            for key, lines in self._lines.items()
        ]
        self._spool.append(pieces)
        self._lines.clear()
        self._size = 0
