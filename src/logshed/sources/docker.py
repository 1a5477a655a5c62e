"""Follows the containers of a Docker: every line once and in order, through restarts and cut connections."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.errors import GoneError, SourceError, UnreachableError
from logshed.sources import commands
from logshed.sources.docker_containers import Container, Listed, listed, states
from logshed.sources.docker_output import Output, Place
from logshed.sources.feeds import Arrival, Stream
from logshed.sources.hosts import READ_BYTES, Limits, Noting, running, together, trouble

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tenacity import RetryCallState

    from logshed.sources.feeds import Sink
    from logshed.sources.hosts import Host, Reader

POLL_S, SHORTEST_POLL_S = 3.0, 0.3
"""How often a host is asked for its containers, and how soon again where one has ended."""
READ_AT_ONCE = 8
"""Containers of one host that are read at once, besides those that are followed."""
MARK_S = 30.0
"""An output that is silent for so long is noted to be read up to where the other one was before."""
ATTEMPTS = 5
"""How often a collection that does not follow takes up a cut connection."""
LONGEST_WAIT_S = 30.0
OUTPUTS = ("stdout", "stderr")
EVER = "1970-01-01T00:00:00.000000000Z"


class Docker:
    """The feed of one Docker.

    Args:
        host: Runs the commands.
        key: Key of the digests in cursors.
        containers: Only these; all unless given.
        since: From when on new containers are read, as ``moment`` writes it.
        follow: Whether to go on with what comes.
        collection: Collection of the records; empty takes the run's.
        limits: How long things may take.
    """

    def __init__(
        self,
        host: Host,
        key: bytes,
        *,
        containers: Sequence[str] = (),
        since: str = EVER,
        follow: bool = False,
        collection: str = "",
        limits: Limits | None = None,
    ) -> None:
        self.name = f"docker:{host.name}"
        self._host: Host = host
        self._key = key[:64]
        self._wanted = tuple(commands.container(name) for name in containers)
        self._since = since
        self._follow = follow
        self._collection = collection
        self._limits = limits or Limits()
        self._places: dict[str, Place] = {}
        self._known: dict[str, Stream] = {}
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._runs: dict[str, tuple[str, str]] = {}
        self._marks: dict[str, str] = {}
        self._missing: list[str] = []
        self._marked = time.monotonic()
        self._putting = 0
        self._worked = False

    async def run(self, sink: Sink) -> None:
        """Bring what the containers wrote, and where it follows, what they write.

        Raises:
            SourceError: Nothing of it can be collected.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_never  # noqa: PLC0415 - heavy
        from tenacity.wait import wait_random_exponential  # noqa: PLC0415 - as above

        attempts = AsyncRetrying(
            retry=retry_if_exception(self._may_pass),
            stop=stop_never if self._follow else stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=1, max=LONGEST_WAIT_S),
            before_sleep=lambda state: self._waits(state, sink),
            reraise=True,
        )
        plain, self._host = self._host, Noting(self._host, sink.note)
        try:
            async for attempt in attempts:
                with attempt:
                    await self._session(sink, attempt.retry_state)
        finally:
            await self._host.close()
            self._host = plain

    def _may_pass(self, error: BaseException) -> bool:
        """Whether to try again: what worked once may work again, and a host that is followed may still come."""
        if isinstance(error, UnreachableError):
            return self._follow or self._worked
        return isinstance(error, SourceError) and self._follow and self._worked

    def _waits(self, state: RetryCallState, sink: Sink) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        sink.tell(self._host.name, "waiting", str(error))

    async def _session(self, sink: Sink, state: RetryCallState) -> None:
        """Read or follow all containers until something breaks."""
        tasks: dict[str, asyncio.Task[None]] = {}
        self._runs = {}
        try:
            while True:
                found = self._chosen(await listed(self._host, self._limits), sink)
                if state.attempt_number > 1:
                    sink.tell(self._host.name, "following")
                self._worked, state.attempt_number = True, 1
                await self._begin([one for one in found if one.id not in tasks], tasks, sink)
                if not self._follow:
                    await together(*(_result(task) for task in tasks.values()))
                    return
                await self._pause(tasks)
                for name in [name for name, task in tasks.items() if task.done()]:
                    tasks.pop(name).result()
                await self._mark(sink)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _pause(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        """Wait until it is time to look at the containers again, or one of them has ended."""
        await asyncio.sleep(SHORTEST_POLL_S)
        if tasks:
            await asyncio.wait(tasks.values(), timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(POLL_S)

    def _chosen(self, found: list[Listed], sink: Sink) -> list[Listed]:
        names = {one.name for one in found}
        missing = [name for name in self._wanted if name not in names]
        for name in (name for name in missing if name not in self._missing):
            text = f"{self._host.name} has no container {name}; `logshed collect status` lists what it has"
            sink.tell(self._target(name), "waiting" if self._follow else "failed", text)
        self._missing = missing
        chosen = [one for one in found if not self._wanted or one.name in self._wanted]
        if not chosen and not self._follow:
            cause = f"it has no container {missing[0]}" if missing else "it has no containers"
            raise SourceError(f"cannot collect from {self.name}: {cause}; `docker ps --all` there shows what there is")
        return chosen

    async def _begin(self, found: list[Listed], tasks: dict[str, asyncio.Task[None]], sink: Sink) -> None:
        """Begin with containers that run, and with those that ended since they were last looked at."""
        for one in await states(self._host, found, self._limits):
            run = (one.started, one.finished)
            if self._runs.get(one.id) != run:
                self._runs[one.id] = run
                tasks[one.id] = asyncio.ensure_future(self._container(one, sink))

    async def _container(self, one: Container, sink: Sink) -> None:
        target = self._target(one.name)
        try:
            if self._follow and one.running:
                sink.tell(target, "following")
                await self._logs(one, sink, follow=True)
                self._runs.pop(one.id, None)  # it may run again by now
            async with self._reading:
                await self._logs(one, sink, follow=False)
        except GoneError:
            sink.tell(target, "ended", "it was removed")
        except UnreachableError as error:
            sink.tell(target, "waiting", str(error))
            raise
        except SourceError as error:
            sink.tell(target, "failed", str(error))
        else:
            sink.tell(target, "ended")

    async def _logs(self, one: Container, sink: Sink, *, follow: bool) -> None:
        streams = {name: self._stream(one, name) for name in OUTPUTS}
        places = {name: self._place(stream, sink) for name, stream in streams.items()}
        start = min((place.start for place in places.values() if place.start), default=self._since)
        since = min(place.time or start for place in places.values())
        outputs = {name: Output(name, place, self._key, one.started) for name, place in places.items()}
        argv = commands.docker_logs(one.id, since=since, follow=follow)
        for name in OUTPUTS:
            self._places[streams[name].source] = replace(places[name], start=start)
            self._known[streams[name].source] = streams[name]
        try:
            async with asyncio.timeout(None) as limit, running(self._host, argv) as process:
                pumps = (
                    self._pump(reader, outputs[name], streams[name], sink, None if follow else limit)
                    for name, reader in (("stdout", process.stdout), ("stderr", process.stderr))
                )
                await together(*pumps)
                status = await process.ended()
        except TimeoutError:
            text = f"no line in {self._limits.silence:g} s; look at the host's load, or raise silence_seconds"
            raise UnreachableError(f"cannot read the container {one.name} of {self._host.name}: {text}") from None
        if status:
            words = outputs["stderr"].words + outputs["stdout"].words
            raise trouble(f"read the container {one.name} of {self._host.name}", status, words)
        for name in OUTPUTS:
            await self._put(streams[name], outputs[name].finish(), sink)
        if not one.running:
            await self._level(streams.values(), sink)

    async def _pump(
        self, reader: Reader, output: Output, stream: Stream, sink: Sink, limit: asyncio.Timeout | None
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if limit is not None:
                limit.reschedule(loop.time() + self._limits.silence)
            data = await reader.read(READ_BYTES)
            if limit is not None:
                limit.reschedule(None)  # a spool that is full is no silence of the host
            if not data:
                return
            await self._put(stream, output.feed(data), sink)

    async def _put(self, stream: Stream, lines: list[bytes], sink: Sink) -> None:
        if not lines:
            return
        place, key, seen = self._places[stream.source], self._key, _now()

        def cursor(number: int) -> dict[str, Any]:
            return {**place.after(lines[:number], key).cursor(), "seen": seen}

        self._putting += 1
        try:
            await sink.put([Arrival(stream, lines, cursor)])
        finally:
            self._putting -= 1
        self._places[stream.source] = place.after(lines, key)

    async def _level(self, streams: Collection[Stream], sink: Sink) -> None:
        """Note of a container that has ended that both outputs are read as far as the one that went further."""
        last = max(self._places[stream.source].time for stream in streams)
        for stream in streams:
            if self._places[stream.source].time < last:
                await self._move(stream, last, sink)

    async def _move(self, stream: Stream, to: str, sink: Sink) -> None:
        moved = self._places[stream.source] = Place(time=to, start=self._places[stream.source].start)
        cursor = {**moved.cursor(), "seen": _now()}
        await sink.put([Arrival(stream, [], lambda _: cursor)])

    async def _mark(self, sink: Sink) -> None:
        """Move on the cursors of silent outputs, so that a restart does not read all of the other one again."""
        if self._putting or time.monotonic() - self._marked < MARK_S:
            return
        self._marked = time.monotonic()
        marks, self._marks = self._marks, {source: place.time for source, place in self._places.items()}
        for source, place in list(self._places.items()):
            other = marks.get(_other(source), "")
            if marks.get(source) == place.time < other:
                await self._move(self._known[source], other, sink)

    def _place(self, stream: Stream, sink: Sink) -> Place:
        """Where a stream goes on: behind what this run has brought of it, else behind what rests."""
        return self._places.get(stream.source) or Place.of(sink.cursor(stream))

    def _stream(self, one: Container, output: str) -> Stream:
        source = f"docker:{self._host.name}/{one.name}:{output}"
        resource = one.resource(self._host.address)
        return Stream(source, self._collection, resource, target=self._target(one.name))

    def _target(self, name: str) -> str:
        return f"{self._host.name}/{name}"


def moment(seconds: float) -> str:
    """A time as Docker takes it, from seconds since 1970."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


async def _result(task: asyncio.Task[None]) -> None:
    await task


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _other(source: str) -> str:
    head, _, output = source.rpartition(":")
    return f"{head}:{OUTPUTS[1 - OUTPUTS.index(output)]}"
