"""The verb that lets clients push: opens doors, puts what comes in a spool, empties that into a lake.

On SIGTERM or SIGINT it lets nobody in any more, answers those who are in, writes what waits, and brings that into the
lake.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed import self_traces
from logshed.access import Tokens
from logshed.doors.callers import Callers
from logshed.doors.health import Check, health_routes, room
from logshed.doors.receive_counts import Counts
from logshed.engines.local import LocalEngine
from logshed.enrichment import sources
from logshed.errors import LogshedError
from logshed.lake.secret import lake_secret
from logshed.pipeline import draining
from logshed.pipeline.live_sink import LiveSink
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.receive_dead import DeadRecords
from logshed.pipeline.receive_doors import Given, HealthOnly, opened
from logshed.pipeline.receive_names import ReceiveNames
from logshed.pipeline.receive_report import ReceiveReport
from logshed.pipeline.receive_safe import Safe
from logshed.pipeline.receiving import Receiving
from logshed.pipeline.standing import Standing
from logshed.pipeline.standings import of_receiver
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.naming import Names
from logshed.redaction.policy_files import load_policy
from logshed.spool import Spool
from logshed.spool.done import read_done

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.lake.store import Store
    from logshed.pipeline.receive_doors import OpenDoor
    from logshed.settings import Settings

log = logging.getLogger(__name__)

DRAIN_BYTES, DRAIN_CHUNK = 2**23, 2**22
"""Bytes of text that a worker has in hand when the spool is emptied, and reads at a time: receiving goes on beside it,
and fewer than an ingest has alone take half the memory."""
GRACE_S = 10.0
"""How long those who are in have to be done when the doors close."""
TOLD_S = 1.0
"""How often is told how it stands."""
DRAIN_REST = 1.0
"""How many times longer than the last emptying took the next one waits: receiving goes first."""


@dataclass(frozen=True, slots=True)
class Receive:
    """One run of the verb.

    Attributes:
        settings: Settings; ``receive`` and ``spool`` among them.
        store: The lake that the spool is emptied into; None leaves the records there.
        opened: Is told where the doors are, once they are open.
        progress: Is told how it stands, about once a second.
    """

    settings: Settings
    store: Store | None
    opened: Callable[[ReceiveReport], None]
    progress: Callable[[ReceiveReport], None]

    def run(self) -> ReceiveReport:
        """Receive until SIGINT or SIGTERM comes.

        Raises:
            DoorError: A door cannot be opened.
            SpoolError: The spool cannot be opened, or another process writes it.
            LogshedError: The policy or a setting is wrong.
        """
        return asyncio.run(self._run())

    async def _run(self) -> ReceiveReport:
        settings = self.settings
        self_traces.start(settings.receive.traces or "")
        with Spool(settings.spool, limit=settings.spool_bytes) as spool:
            running = _Running(self, spool)
            ending = asyncio.Event()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, ending.set)
            try:
                return await running.until(ending)
            finally:
                await asyncio.to_thread(self_traces.stop)


class _Running:
    """What a run is made of."""

    def __init__(self, receive: Receive, spool: Spool) -> None:
        settings = receive.settings
        policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
        options = Options(collection=settings.receive.collection or settings.collection, timezone=settings.timezone)
        self._settings = settings
        self._options = options
        self._store = receive.store
        sizes = {"split_bytes": DRAIN_BYTES, "batch_bytes": DRAIN_CHUNK}
        self._smaller = settings.model_copy(
            update={name: min(size, getattr(settings, name)) for name, size in sizes.items()}
        )
        self._engine = LocalEngine(settings.workers)
        self._live = LiveSink(receive.store, settings) if receive.store else None
        self._progress, self._opened = receive.progress, receive.opened
        self._spool = spool
        names = Names(policy, lambda: lake_secret(spool.root))
        self._trail = Trail(spool.root / FILE, lambda text: names.texts([text])[0])
        job = job_of(settings, options, policy, sources.opened(settings.enrichment))
        self._safe = safe = Safe(job, lambda *stream: spool.index.streams.get(stream))
        self._counts = Counts()
        self._receiving = Receiving(
            spool,
            safe,
            ReceiveNames(
                names,
                safe.formats.checked,
                collection=options.collection,
                known=lambda *stream: stream in spool.index.streams,
                streams=settings.receive.streams,
            ),
            self._counts,
            DeadRecords(spool.root, safe, self._counts),
            room=settings.receive.waiting_bytes,
        )
        self.report = ReceiveReport(self._counts, limit=spool.limit)
        self._standing = Standing(spool.root, "receive", lambda text: names.texts([text])[0])

    async def until(self, ending: asyncio.Event) -> ReceiveReport:
        """Receive until an event is set."""
        begun = time.monotonic()
        doors = self._doors()
        writing = asyncio.ensure_future(self._receiving.run())
        keeping = [asyncio.ensure_future(one) for one in (self._drains(ending), self._tells(ending))]
        try:
            await asyncio.to_thread(self._safe.warm)
            await self._open(doors)
            waits = asyncio.ensure_future(ending.wait())
            done, _ = await asyncio.wait((waits, writing, *keeping), return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            ending.set()
            await self._close(doors)
            self._receiving.close()
            await asyncio.gather(writing, *keeping, return_exceptions=True)
            await self._drained()
            self.report.seconds = time.monotonic() - begun
            self._standing.end()
            self._trail.note("receive", "doors", details={"state": "ends", "records": self.report.records})
        return self.report

    def _doors(self) -> list[tuple[str, OpenDoor]]:
        """What is to be opened, by the names of their settings."""
        receive = self._settings.receive
        tokens = Tokens(self._settings.tokens)
        checks = self._checks()
        routes = health_routes(self._counts, checks, tokens)
        given = Given(self._receiving.take, tokens, Callers(tokens), self._counts, routes, self._receiving.bury)
        found = [(name, one) for name, door in receive.doors.items() for one in opened(name, door, given)]
        return [*found, *([("metrics", HealthOnly(self._counts, checks, receive.metrics))] if receive.metrics else [])]

    async def _open(self, doors: list[tuple[str, OpenDoor]]) -> None:
        for name, door in doors:
            await door.start()
            self.report.addresses.setdefault(name, []).extend(door.addresses)
        self._counts.read("logshed_receive_connections", lambda: _sums(doors, lambda one: one.connections))
        self._counts.read("logshed_receive_door_dropped_datagrams_total", lambda: _sums(doors, lambda one: one.dropped))
        self._trail.note("receive", "doors", details={"state": "begins", "addresses": dict(self.report.addresses)})
        self._opened(self.report)

    async def _close(self, doors: list[tuple[str, OpenDoor]]) -> None:
        closed = await asyncio.gather(*(door.stop(GRACE_S) for _, door in doors), return_exceptions=True)
        for error in closed:
            if isinstance(error, BaseException):
                log.error("a door did not close: %s", error)

    async def _drains(self, ending: asyncio.Event) -> None:
        pause: float = self._settings.receive.every
        while not await _within(ending, pause):
            begun = time.monotonic()
            await self._drained()
            pause = max(self._settings.receive.every, (time.monotonic() - begun) * DRAIN_REST)

    async def _drained(self) -> None:
        """Empty the spool into the lake, unless others do; where that fails, the records wait in the spool."""
        try:
            if self._store is not None:
                await asyncio.to_thread(self._drain, self._store)
            await self._receiving.trim()
        except LogshedError as error:
            if str(error) != self.report.lake:
                log.warning("%s", error)
            self.report.lake = str(error)
            return
        self.report.lake = ""

    def _drain(self, store: Store) -> None:
        settings = self._settings
        with self_traces.span("drain", links=self._receiving.written()), self._counts.draining():
            done = draining.drain(store, settings.spool, self._smaller, self._options, self._engine, self._live)
        for one in done.files:
            if one.counts.read:
                self._counts.stored(one.collection, one.counts.stored, one.counts.rejected)
        self._trail.ship(store)

    async def _tells(self, ending: asyncio.Event) -> None:
        while not await _within(ending, TOLD_S):
            self.report.waiting = self._receiving.waiting
            self.report.spool = self._spool.index.bytes
            self._progress(self.report)
            await asyncio.to_thread(
                of_receiver, self._standing, self.report, self._counts, lambda: _unread(self._spool)
            )

    def _checks(self) -> dict[str, Check]:
        spool = self._spool
        checks = {"spool": Check(room(spool.root, lambda: spool.index.bytes, spool.limit))}
        if self._store is not None:
            checks["lake"] = Check(lambda: self._counts.failure, needed=False)
        self._counts.read("logshed_spool_bytes", lambda: spool.index.bytes)
        self._counts.read("logshed_spool_limit_bytes", lambda: spool.limit)
        self._counts.read("logshed_ingest_waiting_bytes", lambda: _unread(spool))
        if _unread(spool):  # from before this process began
            oldest = min(segment.stat().st_mtime for segment in spool.index.segments)
            self._counts.waiting_since(max(0.0, time.time() - oldest))
        return checks


def _sums(doors: list[tuple[str, OpenDoor]], figure: Callable[[OpenDoor], int | None]) -> dict[str, float]:
    """A figure by door; of a door that has none, nothing."""
    found: dict[str, float] = {}
    for name, door in doors:
        if (one := figure(door)) is not None:
            found[name] = found.get(name, 0) + one
    return found


def _unread(spool: Spool) -> int:
    """Bytes of a spool that are not in the lake yet."""
    done = read_done(spool.root)
    streams = list(spool.index.streams.values())
    return sum(one.end - max(one.start, done.get(one.generation, 0)) for one in streams)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set within some time."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
