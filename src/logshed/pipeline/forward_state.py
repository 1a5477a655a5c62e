"""How far a forwarding has come: a file in the lake's folder, replaced whole after what was taken, and a lock."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from logshed.errors import BusyError, LogshedError
from logshed.lake.batch import Batches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "forward"
"""The folder inside the lake's."""
Place = tuple[str, str, str, int, int]
"""Where a record stands among all: batch, source, generation, offset, item."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a forwarding has come.

    Attributes:
        batches: Batches of which all is sent.
        place: The last record that was taken of a batch that is begun; None where none is.
        since: Older records of batches up to ``first`` are left out, in microseconds since 1970; None leaves none out.
        first: The newest batch that there can have been when the forwarding began.
        records: Records that were taken so far.
    """

    batches: Batches = field(default_factory=Batches)
    place: Place | None = None
    since: int | None = None
    first: str = ""
    records: int = 0

    def past(self, *batches: str) -> Position:
        """The same with batches of which all is sent."""
        done = self.batches
        for batch in batches:
            done = done.add(batch)
        return replace(self, batches=done, place=None)

    def at(self, place: Place, records: int) -> Position:
        """The same with some more records that were taken, up to one."""
        return replace(self, place=place, records=self.records + records)


class Kept:
    """The position of a forwarding.

    Args:
        root: The lake's folder.
        name: The forwarding's name.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._path, self._name = root / FOLDER / f"{name}.json", name

    def read(self) -> Position | None:
        """The position; None where there is none yet.

        Raises:
            LogshedError: The file is damaged or cannot be read.
        """
        try:
            found: dict[str, Any] = orjson.loads(self._path.read_bytes())
            batches = Batches(found["watermark"], frozenset(found["done"]))
            place = None if found["place"] is None else tuple(found["place"])
            return Position(batches, place, found["since"], found["first"], found["records"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LogshedError(f"cannot read {self._path}: {error.strerror}; correct its permissions") from None
        except (ValueError, KeyError, TypeError):
            advice = "move it away, and begin anew with --since"
            raise LogshedError(f"cannot read {self._path}: it is damaged; {advice}") from None

    def write(self, position: Position) -> None:
        """Keep a position, and wait until the disk has it.

        Raises:
            LogshedError: It cannot be written.
        """
        told = {
            "watermark": position.batches.watermark,
            "done": sorted(position.batches.done),
            "place": position.place,
            "since": position.since,
            "first": position.first,
            "records": position.records,
        }
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with part.open("wb") as file:
                file.write(orjson.dumps(told) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise LogshedError(
                f"cannot write {self._path}: {error.strerror}; free some space, or check the path"
            ) from None

    def forget(self) -> None:
        """Begin anew the next time."""
        self._path.unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the forwarding's lock: it is run once at a time, whoever starts it.

        Raises:
            BusyError: Another process holds it.
            LogshedError: It cannot be made.
        """
        try:
            self._path.parent.mkdir(exist_ok=True)
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LogshedError(f"cannot lock {self._path.parent}: {error.strerror}; check its permissions") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise BusyError(f"cannot forward {self._name}: it is running already; wait until it has ended") from None
        finally:
            os.close(handle)
