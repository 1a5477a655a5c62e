"""The verb that sends numbered lines through a door, and looks in the lake for each of them."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from logshed.errors import DeliveryError, UsageError
from logshed.pipeline import canary_check, canary_senders
from logshed.pipeline.canary_book import Book, Sent
from logshed.pipeline.canary_report import Delays, Report
from logshed.pipeline.canary_senders.model import Batch, iso
from logshed.pipeline.sinks import persist

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

    from logshed.pipeline.canary_check import Query
    from logshed.pipeline.canary_senders.model import Sender
    from logshed.pipeline.sinks import Sink

LETTERS = "bdfghjklmnprstvz"
"""Of ids of runs: none of them makes a word."""
TICK_S = 0.1
"""Lines of this time go out together."""
MOST = 1000
"""Lines of a batch."""
LOOK_S = 1.0
"""From one look into the lake to the next."""
AGAIN_S = 2.0
"""Longest time between two tries of a batch: whoever waits longer cannot tell when a door is open again."""
LOOK_BACK_S = 300
"""A line that has been missing for longer is looked for only at the end: each look reads what it looks back to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent.

    Attributes:
        rate: Lines a second, of all streams.
        seconds: How long; 0 until it is stopped.
        streams: Connections, each with lines of its own.
        collection: Asked for where the protocol has a place for it.
        wait: Seconds that lines have after the last was sent until they are missing.
        late: Seconds after which a line is late.
    """

    rate: float = 100.0
    seconds: float = 60.0
    streams: int = 1
    collection: str = "canary"
    wait: float = 30.0
    late: float = 10.0


@dataclass(slots=True)
class State:
    """How a run stands.

    Attributes:
        sent: Lines so far.
        taken: Of which were acknowledged.
        seen: Of which are in the lake.
        seconds: Since it began.
        sending: Whether it still sends.
        trouble: Why a batch was not taken the last time, or empty.
        delays: From being sent to being seen.
    """

    sent: int
    taken: int
    seen: int
    seconds: float
    sending: bool
    trouble: str
    delays: Delays


@dataclass(slots=True)
class Canary:
    """One run.

    Args:
        sink: The door.
        plan: What is sent.
        query: Runs a statement on the lake that the door feeds.
        root: The lake's folder, which keeps what was sent.
        progress: Is told how it stands, about every second.
    """

    sink: Sink
    plan: Plan
    query: Query
    root: Path
    progress: Callable[[State], None] = lambda _: None
    _tries: int = 0
    _trouble: str = ""
    _failure: str = ""
    _ended: Event = field(default_factory=threading.Event)
    _stop: Event = field(default_factory=threading.Event)

    def run(self, stop: Event) -> Report:
        """Send, look, and say what came of it.

        Args:
            stop: Ends the sending before its time.

        Raises:
            UsageError: There is no such protocol.
            QueryError: The lake cannot be asked.
        """
        self._stop, run = stop, new_run()
        senders = [canary_senders.opened(self.sink) for _ in range(self.plan.streams)]
        canary_check.look(self.query, run, int(time.time() * 1e6))  # what is slow the first time is no line's delay
        begun = time.time()
        book = Book(run, self.sink.name, int(begun * 1e6), senders[0].acknowledges)
        book.streams += [Sent() for _ in senders]
        threads = [
            threading.Thread(target=self._send, args=(sender, book, number), daemon=True)
            for number, sender in enumerate(senders)
        ]
        for thread in threads:
            thread.start()
        self._watch(book, threads, begun)
        seconds = time.time() - begun
        self._settle(book, threads, begun)
        book.end(self.root)
        report = _report(self.query, book, self.plan.late)
        report.tries, report.failure, report.seconds = self._tries, self._failure, seconds
        return report

    def _watch(self, book: Book, threads: list[threading.Thread], begun: float) -> None:
        """Look while lines are sent."""
        while any(thread.is_alive() for thread in threads) and not self._is_over(begun):
            self._look(book, begun, sending=True)
            self._stop.wait(LOOK_S)
        self._stop.set()

    def _settle(self, book: Book, threads: list[threading.Thread], begun: float) -> None:
        """Look until all is there, or it took too long."""
        deadline = time.monotonic() + self.plan.wait
        while time.monotonic() < deadline:
            self._look(book, begun, sending=False)
            busy = any(thread.is_alive() for thread in threads)
            if not busy and all((sent.seen[sent.taken] > 0).all() for sent in book.streams):
                break
            time.sleep(min(LOOK_S, max(deadline - time.monotonic(), 0)))
        self._ended.set()
        for thread in threads:
            thread.join()

    def _is_over(self, begun: float) -> bool:
        """Whether sending ends: what a slow door had no time for is not sent."""
        return self._stop.is_set() or bool(self.plan.seconds and time.time() >= begun + self.plan.seconds + LOOK_S)

    def _look(self, book: Book, begun: float, *, sending: bool) -> None:
        """See which lines are there by now."""
        waiting = [sent.micros[sent.seen == 0] for sent in book.streams]
        oldest = min((int(some[0]) for some in waiting if len(some)), default=0)
        if oldest:
            since = max(oldest, int((time.time() - LOOK_BACK_S) * 1e6))
            found = canary_check.look(self.query, book.run, since)
            now = int(time.time() * 1e6)
            for stream, numbers in found.items():
                book.streams[stream].see(numbers, now)
        book.save(self.root)
        sent = sum(map(len, book.streams))
        taken = sum(int(one.taken.sum()) for one in book.streams)
        seen = sum(int((one.seen > 0).sum()) for one in book.streams)
        about = (time.time() - begun, sending, self._trouble, Delays.of(book.streams))
        self.progress(State(sent, taken, seen, *about))

    def _send(self, sender: Sender, book: Book, stream: int) -> None:
        """Send the lines of a stream, in its thread."""
        rate, begun, sent = self.plan.rate / self.plan.streams, time.monotonic(), book.streams[stream]
        total = max(round(rate * self.plan.seconds), 1) if self.plan.seconds else None
        try:
            while not self._stop.is_set() and (total is None or len(sent) < total):
                due = int((time.monotonic() - begun) * rate) + 1 - len(sent)
                due = min(due, MOST, due if total is None else total - len(sent))
                if due > 0:
                    self._deliver(sender, self._batch(book, stream, due), sent)
                if due < MOST:
                    self._stop.wait(max(TICK_S, min(1 / rate, LOOK_S)))
        except DeliveryError as error:
            self._failure = self._failure or str(error)
            self._stop.set()
        finally:
            sender.close()

    def _batch(self, book: Book, stream: int, count: int) -> Batch:
        micros = np.full(count, time.time_ns() // 1000, np.int64)
        first = book.streams[stream].add(micros)
        times = micros.tolist()
        texts = [
            canary_check.FORM.format(iso=iso(when), run=book.run, stream=stream, line=number, number=number)
            for number, when in enumerate(times, first)
        ]
        return Batch(f"canary-{book.run}-{stream}-{first}", self.plan.collection, first, times, texts)

    def _deliver(self, sender: Sender, batch: Batch, sent: Sent) -> None:
        try:
            ended = self._ended
            persist(lambda: sender.send(batch), over=ended.is_set, ended=ended, told=self._again, longest=AGAIN_S)
        except DeliveryError as error:
            if not error.retry:
                raise
            return
        self._trouble = ""
        sent.take(batch.first, len(batch.texts))

    def _again(self, why: str) -> None:
        self._tries += 1
        self._trouble = why


def check(query: Query, root: Path, run: str) -> Report:
    """Look for the lines of an earlier run.

    Args:
        query: Runs a statement on the lake.
        root: The lake's folder.
        run: The run's id.

    Raises:
        UsageError: It is no id of a run, or nothing is known of it, nor in the lake.
        QueryError: The lake cannot be asked.
    """
    book = Book.load(root, run) or canary_check.unknown(query, run)
    if not book.streams:
        raise UsageError(f"cannot check the run {run}: neither the lake nor its folder knows it; give another --lake")
    return _report(query, book, 0.0)


def new_run() -> str:
    """An id for a run."""
    return "".join(random.SystemRandom().choices(LETTERS, k=8))


def _report(query: Query, book: Book, late: float) -> Report:
    found, delays = canary_check.examine(query, book), Delays.of(book.streams)
    sent, taken = sum(map(len, book.streams)), sum(int(one.taken.sum()) for one in book.streams)
    return Report(book.run, book.to, book.acknowledges, sent, taken, 0.0, found, delays, late)
