"""The verb that sends records on as they come into the lake: each at least once, whatever breaks on the way."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logshed.errors import DeliveryError
from logshed.lake.batch import SETTLED_AFTER_MS, Batches, new_batch
from logshed.lake.names import LOGS
from logshed.lake.scan import batches_behind
from logshed.pipeline.forward_reading import ORDER, Reading
from logshed.pipeline.forward_state import Position
from logshed.pipeline.sinks import persist

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from threading import Event

    import polars as pl

    from logshed.lake.store import Store
    from logshed.pipeline.forward_sinks import Records
    from logshed.pipeline.forward_state import Kept, Place
    from logshed.search.scope import Scope
    from logshed.sql.result import Result

ROWS = 1000
"""Records of a request."""
TOGETHER = 20
"""Batches that one statement reads: each has its price, and small batches are many."""
SAVED_S = 1.0
"""How often the position inside a batch is kept: after a crash as much is sent again."""
BYTES = 2**21
"""Bytes of a request, about; doors of gRPC take twice as much."""
_TOO_LARGE = 413
_REFUSED = frozenset({400, 413, 422})
"""HTTP statuses by which a sink says that it will never take what it was sent."""


@dataclass(slots=True)
class Report:
    """What a forwarding came to.

    Attributes:
        name: Its name.
        to: Where records went.
        records: Records that were taken.
        rejected: Of which the other side kept none, as it said.
        skipped: Records that were refused, and left out since that was allowed.
        batches: Batches of which all is sent.
        behind: Batches that were not, when it was last looked.
        again: How often something was sent again.
        seconds: How long it took.
        waiting: Why nothing goes on now, or empty.
        began: Whether it began with this run.
    """

    name: str
    to: str
    records: int = 0
    rejected: int = 0
    skipped: int = 0
    batches: int = 0
    behind: int = 0
    again: int = 0
    seconds: float = 0.0
    waiting: str = ""
    began: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "name": self.name,
            "to": self.to,
            "records": self.records,
            "rejected": self.rejected,
            "skipped": self.skipped,
            "batches": self.batches,
            "behind": self.behind,
            "sent_again": self.again,
            "seconds": round(self.seconds, 3),
            "waiting": self.waiting,
            "began": self.began,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What is forwarded.

    Attributes:
        name: Its name.
        to: Where to, for people.
        scope: Which records; its time is not regarded.
        since: Which older records the first run takes: those from then on; None takes none.
        follow: Whether to go on with what comes.
        every: Seconds between two looks.
        patience: Seconds for which a sink that takes nothing is tried, unless following.
        skip: Leave out a record that is refused for good, rather than end.
        as_received: Send what came by OTLP as it came; else as ``logs`` has it.
    """

    name: str
    to: str
    scope: Scope
    since: datetime | None = None
    follow: bool = False
    every: float = 2.0
    patience: float = 60.0
    skip: bool = False
    as_received: bool = True


@dataclass(slots=True)
class Forward:
    """One run.

    Args:
        store: The lake.
        query: Runs a statement on it.
        kept: The position.
        records: What takes the records.
        plan: What is forwarded.
        progress: Is told how it stands, often.

    Attributes:
        report: What it came to so far.
    """

    store: Store
    query: Callable[[str], Result]
    kept: Kept
    records: Records
    plan: Plan
    progress: Callable[[Report], None] = lambda _: None
    _stop: Event = field(init=False)
    _position: Position = field(init=False)
    report: Report = field(init=False)
    _saved: float = 0.0
    _trying_since: float = 0.0

    def __post_init__(self) -> None:
        self.report = Report(self.plan.name, self.plan.to)

    def run(self, stop: Event) -> Report:
        """Send what is there, and what comes if that is wanted, until ``stop`` is set.

        Raises:
            BusyError: It is running already.
            DeliveryError: It was not taken for as long as is waited, or for good; the next run goes on there.
            LakeError: The lake cannot be read.
        """
        begun, self._stop = time.monotonic(), stop
        report = self.report
        with self.kept.lock():
            self._position = self.kept.read() or self._began()
            try:
                while not stop.is_set():
                    self._round()
                    report.seconds = time.monotonic() - begun
                    self.progress(report)
                    if not self.plan.follow or stop.wait(self.plan.every):
                        break
            except DeliveryError as error:
                if not (stop.is_set() and error.retry):  # else whoever ends it need not hear that the sink is away
                    raise
            finally:
                report.seconds = time.monotonic() - begun
                self.kept.write(self._position)
        return report

    def _began(self) -> Position:
        """Where a new forwarding begins."""
        self.report.began = True
        if self.plan.since is not None:
            made = Position(since=int(self.plan.since.timestamp() * 1e6), first=new_batch())
        else:
            settled = f"{new_batch(SETTLED_AFTER_MS)[:13]}-0000-0000-000000000000"
            known = Batches(settled)
            made = Position(Batches(settled, frozenset(batches_behind(self.store, known, LOGS))))
        self.kept.write(made)
        return made

    def _round(self) -> None:
        """Send all batches that are in the lake and not sent."""
        missing = list(batches_behind(self.store, self._position.batches, LOGS))
        self.report.behind = len(missing)
        reading = Reading(self.query, self.plan.scope, self.plan.as_received)
        for at in range(0, len(missing), TOGETHER):
            some = missing[at : at + TOGETHER]
            for frame in reading.frames(some, self._position):
                for piece in frame.iter_slices(_rows(frame)):
                    if self._stop.is_set():
                        return
                    skipped = self.report.skipped
                    self._send(piece)
                    self._take(piece, piece.height - (self.report.skipped - skipped))
            self._position = self._position.past(*some)
            self.report.batches += len(some)
            self.report.behind -= len(some)
            self._save()

    def _take(self, piece: pl.DataFrame, count: int) -> None:
        """Note that so many of some records were taken, and with them all of the batches before theirs."""
        last: Place = tuple(piece.select(ORDER).row(-1))
        over = [one for one in piece["batch"].unique() if one < last[0]]
        self._position = self._position.past(*over).at(last, count)
        self.report.records += count
        if time.monotonic() - self._saved > SAVED_S:
            self._save()

    def _save(self) -> None:
        self.kept.write(self._position)
        self._saved = time.monotonic()
        self.progress(self.report)

    def _send(self, piece: pl.DataFrame) -> None:
        """Send records, in halves where they are too many for the other side."""
        key = f"{self.plan.name}-{_digest(piece)}"
        self._trying_since = time.monotonic()
        try:
            rejected = persist(
                lambda: self.records.send(piece, key), over=self._is_over, ended=self._stop, told=self._again
            )
        except DeliveryError as error:
            if error.status == _TOO_LARGE and piece.height > 1:
                half = piece.height // 2
                self._send(piece.head(half))
                self._send(piece.slice(half))
                return
            if not self.plan.skip or error.status not in _REFUSED:
                raise
            if piece.height > 1:
                for one in piece.iter_slices(1):
                    self._send(one)
                return
            self.report.skipped += 1
            return
        self.report.rejected += rejected
        self.report.waiting = ""

    def _is_over(self) -> bool:
        if self._stop.is_set():
            return True
        return not self.plan.follow and time.monotonic() - self._trying_since >= self.plan.patience

    def _again(self, why: str) -> None:
        self.report.again += 1
        self.report.waiting = why
        self.progress(self.report)


def name_of(to: str, search: str, collection: str | None) -> str:
    """The name of a forwarding that has none: of the same one always the same."""
    text = "\0".join((to, search, collection or ""))
    return f"to-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _rows(frame: pl.DataFrame) -> int:
    """How many records of about this size go in a request."""
    return max(min(ROWS, BYTES * frame.height // max(int(frame.estimated_size()), 1)), 1)


def _digest(piece: pl.DataFrame) -> str:
    """What tells some records from others."""
    ids = piece["record_id"]
    return hashlib.sha256(f"{ids[0]}{ids[-1]}{len(ids)}".encode()).hexdigest()[:32]
