"""Keeps what clients sent and nothing could decode, readable and bounded, until it is replayed or must go."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from logshed.errors import SpoolError
from logshed.spool import disk
from logshed.spool.letters import Letter, letter, letters_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

DEAD = "dead"
"""Folder of dead letters in a spool's."""
REPLAYED = "replayed"
LOCK, DROPPED = "lock", "dropped.json"
LIMIT_BYTES = 64 * 2**20
PARTS = 8
"""Files that the limit is divided into, at the least: the oldest go as a whole."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How dead letters stand.

    Attributes:
        waiting: Letters that were not replayed.
        readable: Those of them that have text.
        bytes: Bytes of all files.
        replayed: Letters that were.
        dropped: Letters that had to go, since there is a limit.
        unreadable: Lines that are none, as a crash may leave.
        reasons: How many wait by protocol and reason, the most first.
    """

    waiting: int
    readable: int
    bytes: int
    replayed: int
    dropped: int
    unreadable: int
    reasons: tuple[tuple[str, str, int], ...]


class DeadLetters:
    """A folder of dead letters: files of JSON lines, each of a day.

    Several processes may use it.

    Args:
        folder: It; it is made when the first one comes.
        limit_bytes: Bytes that all files may take; the oldest go first, and are counted.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.folder = folder
        self._limit = limit_bytes
        self._part = max(limit_bytes // PARTS, 1)

    def put(
        self,
        *,
        protocol: str,
        reason: str,
        peer: str = "",
        collection: str = "",
        data: bytes | None = None,
        redacted_text: str | None = None,
    ) -> None:
        """Keep something.

        Args:
            protocol: The receiver's name.
            reason: Why it could not be decoded.
            peer: Who sent it.
            collection: Where it would have gone.
            data: The bytes that came, of which only their size is kept, and their SHA-256 where there is no text.
            redacted_text: What may be kept of them.

        Raises:
            SpoolError: It cannot be written.
        """
        self.put_all([letter(protocol, reason, peer, collection, data=data, redacted_text=redacted_text)])

    def put_all(self, letters: Iterable[Letter]) -> None:
        """Keep letters; they are on the disk when it comes back.

        Raises:
            SpoolError: They cannot be written.
        """
        lines = [self._line(one) for one in letters]
        if not lines:
            return
        with self.locked():
            try:
                for batch in _batches(lines, self._part):
                    self._append(batch)
                self._bound()
            except OSError as error:
                raise disk.problem(self.folder, error) from None

    def waiting(self) -> list[Path]:
        """The files of letters that were not replayed, oldest first."""
        return sorted(self.folder.glob("*.jsonl"))

    def standing(self) -> Standing:
        """How they stand.

        Raises:
            SpoolError: They cannot be read.
        """
        found = [one for path in self.waiting() for one in letters_of(path)]
        known = [one for one in found if one is not None]
        replayed = self._replayed()
        reasons = Counter((one.protocol, one.reason) for one in known)
        return Standing(
            waiting=len(known),
            readable=sum(one.text is not None for one in known),
            bytes=sum(disk.size(path) for path in (*self.waiting(), *replayed)),
            replayed=sum(one is not None for path in replayed for one in letters_of(path)),
            dropped=self._dropped(),
            unreadable=len(found) - len(known),
            reasons=tuple((protocol, reason, count) for (protocol, reason), count in reasons.most_common()),
        )

    def put_away(self, path: Path) -> None:
        """Note that a file's letters were replayed.

        Raises:
            SpoolError: It cannot be moved.
        """
        try:
            (self.folder / REPLAYED).mkdir(exist_ok=True, mode=0o700)
            path.replace(self.folder / REPLAYED / path.name)
            disk.sync_folder(self.folder / REPLAYED)
            disk.sync_folder(self.folder)
        except OSError as error:
            raise disk.problem(path, error) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes or replays letters meanwhile.

        Raises:
            SpoolError: The folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise disk.problem(self.folder, error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _line(self, one: Letter) -> bytes:
        """A letter as it stands in a file; a text that is too long for one is cut."""
        kept = {name: value for name, value in asdict(one).items() if value or name in ("protocol", "reason")}
        line = orjson.dumps(kept) + b"\n"
        if len(line) <= self._part or one.text is None:
            return line
        whole = one.text.encode()
        kept["text"] = whole[: self._part // 8].decode(errors="ignore")  # a character may take six bytes in JSON
        kept["cut"] = len(whole) - len(kept["text"].encode())
        return orjson.dumps(kept) + b"\n"

    def _append(self, batch: bytes) -> None:
        path = self._newest(len(batch))
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            end = os.fstat(handle).st_size
            torn = end and os.pread(handle, 1, end - 1) != b"\n"  # a crash may have left half a line
            disk.write_at(handle, end, [b"\n" * bool(torn), batch])
            disk.sync(handle)
        finally:
            os.close(handle)
        disk.sync_folder(self.folder)

    def _newest(self, size: int) -> Path:
        """The day's newest file that has room, or the next one; no name ever comes again."""
        now = datetime.now(UTC)
        found = self.waiting()
        if found and found[-1].name.startswith(f"{now:%Y-%m-%d}") and found[-1].stat().st_size + size < self._part:
            return found[-1]
        return self.folder / f"{now:%Y-%m-%d-%H%M%S%f}-{uuid4().hex[:8]}.jsonl"

    def _bound(self) -> None:
        """Let the oldest files go while there are too many bytes: replayed ones first."""
        files = [*self._replayed(), *self.waiting()]
        size = sum(path.stat().st_size for path in files)
        for path in files[:-1]:
            if size <= self._limit:
                break
            size -= path.stat().st_size
            if path.parent == self.folder:
                gone = self._dropped() + sum(one is not None for one in letters_of(path))
                disk.put(self.folder / DROPPED, orjson.dumps({"letters": gone}))
            path.unlink()

    def _replayed(self) -> list[Path]:
        return sorted((self.folder / REPLAYED).glob("*.jsonl"))

    def _dropped(self) -> int:
        try:
            return int(orjson.loads((self.folder / DROPPED).read_bytes())["letters"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SpoolError(f"cannot read {self.folder / DROPPED}: {error}; remove it to count anew") from None


def _batches(lines: Sequence[bytes], most: int) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and size + len(line) > most:
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    yield b"".join(batch)
