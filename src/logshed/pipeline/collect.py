"""The verb that follows places without touching them: lines come, are joined and redacted, and rest in a spool."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from logshed.errors import LogshedError, SpoolFullError
from logshed.pipeline.collect_report import CollectReport
from logshed.pipeline.resting_stream import Rester, RestingStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from logshed.pipeline.job import Job
    from logshed.pipeline.trail import Trail
    from logshed.redaction.naming import Names
    from logshed.sources.feeds import Arrival, Cursor, Feed, Stream
    from logshed.spool import Piece, Spool

log = logging.getLogger(__name__)

COMMIT_S = 0.25
"""How long lines wait for others to be made durable with them."""
HELD_BYTES = 64 * 2**20
"""Bytes that came and do not rest yet; feeds wait beyond them."""
FULL_S = 2.0
"""How long collection pauses before it tries a full spool again."""
DRAIN_S = 5.0
"""How often the spool is emptied into the lake."""
DRAIN_REST = 2.0
"""How many times longer than the last emptying took the next one waits: with hundreds of streams it takes seconds, and
collecting goes first."""


class Collect:
    """One run of the verb.

    Args:
        spool: Where lines rest; this process writes it.
        job: Policy, formats, sizes: as an ingest would have it, without writers.
        names: What of names and attributes may rest.
        trail: Who did what.
        drain: Empties the spool into a lake; None leaves the lines there.
        drain_s: How often it does.
        progress: Is told how it stands, about four times a second.
    """

    def __init__(
        self,
        spool: Spool,
        job: Job,
        names: Names,
        trail: Trail,
        *,
        drain: Callable[[], None] | None = None,
        drain_s: float = DRAIN_S,
        progress: Callable[[CollectReport], None] | None = None,
    ) -> None:
        self.report = CollectReport()
        self.trail = trail
        self._spool = spool
        self._job = job
        self._names = names
        self._drain = drain
        self._drain_s = drain_s
        self._progress = progress
        self._streams: dict[Stream, _Followed] = {}
        self._rester = Rester(job)
        self._formats: dict[str, str] = {}
        self._arrived: list[Arrival] = []
        self._held = 0
        self._room = asyncio.Condition()
        self._writing = asyncio.Lock()
        self._ending = asyncio.Event()

    async def run(self, feeds: Sequence[Feed]) -> CollectReport:
        """Collect until every feed has ended. Cancelling it ends them; what came still comes to rest.

        Raises:
            SpoolError: The spool cannot be written.
        """
        begun = time.monotonic()
        self.report.feeds = len(feeds)
        feeding: asyncio.Future[Any] = asyncio.gather(*(self._feed(feed) for feed in feeds))
        keeping: list[asyncio.Future[Any]] = [asyncio.ensure_future(one) for one in (self._commits(), self._drains())]
        try:
            done, _ = await asyncio.wait((feeding, *keeping), return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            self._ending.set()  # what is just being written is written to its end
            feeding.cancel()
            await asyncio.gather(feeding, *keeping, return_exceptions=True)
            await self._end()
            self.report.seconds = time.monotonic() - begun
            self._tell()
        return self.report

    def cursor(self, stream: Stream) -> Cursor:
        """Where a stream goes on."""
        source = self._names.recorded([stream.source])[stream.source]
        return self._spool.cursor(source, stream.collection or self._job.collection)

    async def put(self, feed: str, arrivals: Sequence[Arrival]) -> None:
        """Take lines; it waits while there is no room for them."""
        async with self._room:
            await self._room.wait_for(lambda: self._held < HELD_BYTES)
        for arrival in arrivals:
            size = sum(map(len, arrival.lines)) + len(arrival.lines)
            self._held += size
            self.report.target(feed, arrival.stream.target or arrival.stream.source).came(len(arrival.lines), size)
            if arrival.stream not in self._streams:
                self._streams[arrival.stream] = _Followed(feed, self._resting(arrival.stream))
        self._arrived.extend(arrivals)

    async def _feed(self, feed: Feed) -> None:
        """Run one feed; what happens to it stops no other."""
        self.trail.note("collect", feed.name, details={"state": "begins"})
        try:
            await feed.run(_Sink(self, feed.name))
        except LogshedError as error:
            self.report.failed[feed.name] = str(error)
        except Exception as error:
            log.exception("%s failed", feed.name)
            self.report.failed[feed.name] = (
                f"cannot collect from {feed.name}: {type(error).__name__}: {error}; run with --log-level debug"
            )
        finally:
            problem = self.report.failed.get(feed.name)
            lines = sum(one.lines for (name, _), one in self.report.targets.items() if name == feed.name)
            told = {"state": "ends", "lines": lines, **({"problem": problem} if problem else {})}
            self.trail.note("collect", feed.name, "failed" if problem else "ok", told)

    async def _commits(self) -> None:
        while not await self._ends_within(COMMIT_S):
            await self._commit(last=False)
            self._tell()

    async def _drains(self) -> None:
        pause = self._drain_s
        while not await self._ends_within(pause):
            begun = time.monotonic()
            await self._emptied()
            pause = max(self._drain_s, (time.monotonic() - begun) * DRAIN_REST)

    async def _ends_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._ending.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _end(self) -> None:
        """Bring to rest what came, and into the lake."""
        if not self.report.paused:
            try:
                await self._commit(last=True)
            except SpoolFullError as error:
                self.report.paused = f"{error} What came last is collected again the next time."
        await self._emptied()

    async def _emptied(self) -> None:
        """Empty the spool into the lake; where that fails, the lines wait in the spool."""
        if self._drain is None:
            return
        try:
            await asyncio.to_thread(self._drain)
        except LogshedError as error:
            self.report.lake = f"{error} Lines wait in the spool."
            log.warning("%s", error)
            return
        self.report.lake = ""
        async with self._writing:
            await asyncio.to_thread(self._spool.trim)

    async def _commit(self, *, last: bool) -> None:
        arrived, self._arrived = self._arrived, []
        size = sum(sum(map(len, one.lines)) + len(one.lines) for one in arrived)
        pieces = await asyncio.to_thread(self._rested, arrived, dict(self._streams), last=last)
        try:
            await self._written(pieces)
        finally:
            self._held -= size
            async with self._room:
                self._room.notify_all()
        for followed in self._streams.values():
            target = self.report.target(followed.feed, followed.name)
            target.rested += followed.resting.rested - followed.told
            followed.told = followed.resting.rested
        coming = {arrival.stream for arrival in self._arrived}
        for stream in [one for one, followed in self._streams.items() if followed.resting.is_idle()]:
            if stream not in coming:
                del self._streams[stream]

    def _rested(self, arrived: Sequence[Arrival], streams: Mapping[Stream, _Followed], *, last: bool) -> list[Piece]:
        """What may rest, each stream once, in the order of their last lines: no cursor comes before what it is of."""
        by_stream: dict[Stream, list[Arrival]] = {}
        for arrival in arrived:
            own = by_stream.pop(arrival.stream, [])
            own.append(arrival)
            by_stream[arrival.stream] = own
        resting = [(streams[stream].resting, streams[stream].resting.take(own)) for stream, own in by_stream.items()]
        pieces = self._rester.pieces(resting)
        due = [one.resting for one in streams.values() if last or one.resting.is_due()]
        return pieces + self._rester.pieces([(one, one.close()) for one in due])

    async def _written(self, pieces: Sequence[Piece]) -> None:
        while True:
            try:
                async with self._writing:
                    await asyncio.to_thread(self._spool.append, pieces)
            except SpoolFullError as error:
                self.report.paused = str(error)
                self._tell()
                if self._ending.is_set() or await self._ends_within(FULL_S):
                    raise
            else:
                self.report.paused = ""
                return

    def _resting(self, stream: Stream) -> RestingStream:
        source = self._names.recorded([stream.source])[stream.source]
        values = self._names.texts([value for _, value in stream.resource])
        resource = tuple((name, value) for (name, _), value in zip(stream.resource, values, strict=True))
        known = self._spool.index.streams.get((source, stream.collection or self._job.collection))
        return RestingStream(stream, self._job, source, resource, known.format if known else "", self._formats)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self.report)


class _Followed:
    """A stream and whose it is."""

    def __init__(self, feed: str, resting: RestingStream) -> None:
        self.feed = feed
        self.resting = resting
        self.name = resting.target
        self.told = 0


class _Sink:
    """What one feed brings its lines to."""

    def __init__(self, collect: Collect, feed: str) -> None:
        self._collect = collect
        self._feed = feed

    def cursor(self, stream: Stream) -> Cursor:
        """Where a stream goes on."""
        return self._collect.cursor(stream)

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Take lines."""
        await self._collect.put(self._feed, arrivals)

    def note(self, verb: str, target: str, outcome: str = "ok", details: Mapping[str, Any] | None = None) -> None:
        """Write into the audit trail what is done to a place."""
        self._collect.trail.note(verb, target, outcome, {"feed": self._feed, **(details or {})})

    def tell(self, target: str, state: str, text: str = "") -> None:
        """Say how a target stands."""
        report = self._collect.report.target(self._feed, target)
        report.errors += state in ("waiting", "failed")
        report.state, report.text = state, text
