"""Follows one container through its runs: reads the log of each from where it was left to its end, whatever is cut."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from logshed.sources.feeds import Arrival
from logshed.sources.kubernetes_api import BrokenError, Call, RefusedError, SilentError, plain
from logshed.sources.kubernetes_position import STAMP, Position, Resumed, foreign

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from logshed.sources.feeds import Cursor, Sink, Stream
    from logshed.sources.kubernetes_api import Cluster
    from logshed.sources.kubernetes_pods import Container, Runs

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Pauses before something is tried again; each is twice the one before."""
FORBIDDEN_PAUSE_S = 60.0
TRIES = 4
"""How often a log is tried that is not followed."""
DOUBT_S = 2.0
"""Within this time the API tells of a restart that the node's own answers show already."""
CRI = b" stdout F "
"""What makes a CRI line of the API's; it does not tell stdout from stderr, so all are put under stdout."""
BAD_REQUEST, FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER_ERRORS = 400, 403, 404, 429, 500


@dataclass(frozen=True, slots=True)
class _Turn:
    """One reading of a log.

    Attributes:
        run: Mark of the container's run.
        previous: Whether the API counts it as the previous one.
        ended: Whether it was known to have ended when the reading began.
    """

    run: str
    previous: bool
    ended: bool


class _DoubtError(Exception):
    """A log does not begin where it did: it was cut off at its front, or is that of another run already."""


class Follower:
    """Brings the lines of one container.

    Attributes:
        runs: What the API last told of its runs; ``learn`` sets it.
        gone: Whether its pod is gone.
        served: Whether the API ever gave its log.
        refusal: Why the account may not read it, or empty.

    Args:
        cluster: The API server.
        container: The container.
        stream: Its lines.
        sink: What takes them.
        since: From when on, where nothing came before.
        follow: Whether to go on with what comes.
        previous: Whether to begin with the run before the current one.
        asked: Asks the API for the pod, and has this learn what it tells.
        heard: Is called when the log was given or forbidden.
    """

    def __init__(
        self,
        cluster: Cluster,
        container: Container,
        stream: Stream,
        sink: Sink,
        *,
        since: datetime | None,
        follow: bool,
        previous: bool,
        asked: Callable[[], Awaitable[None]],
        heard: Callable[[], None],
    ) -> None:
        self._cluster, self._container, self._stream, self._sink = cluster, container, stream, sink
        self._since, self._follow, self._previous = since, follow, previous
        cursor = sink.cursor(stream)
        self._run, self._position = str(cursor.get("run", "")), Position.of(cursor)
        self._asked, self._heard = asked, heard
        self._done = False
        self._sure = False
        self._noted = ""
        self.gone = False
        self._news = asyncio.Event()
        self._failures = 0
        self.runs: Runs | None = None
        self.served = False
        self.refusal = ""

    def learn(self, runs: Runs) -> None:
        """Take what the API tells of the container's runs."""
        if runs != self.runs:
            self.runs = runs
            self._news.set()

    def leave(self) -> None:
        """Take that the pod is gone: what is being read is read to its end."""
        self.gone = True
        self._news.set()

    async def run(self) -> None:
        """Bring what there is, and what comes until the pod is gone.

        Raises:
            RefusedError: The log cannot be read, and it is not followed.
            BrokenError: As above.
        """
        while True:
            self._news.clear()
            turn = self._turn()
            if turn is None:
                if self.gone or not self._follow:
                    self._tell("ended")
                    return
                await self._news.wait()
                continue
            if await self._tried(turn):
                self._tell("ended")
                return

    async def _tried(self, turn: _Turn) -> bool:
        """Read a log on, and wait where it could not be read; whether it is gone for good."""
        try:
            await self._read(turn)
        except _DoubtError:
            await asyncio.sleep(DOUBT_S)
            await self._asked()
            self._sure = True
        except (BrokenError, RefusedError) as error:
            if self._follow and isinstance(error, SilentError):
                return False
            if self._ends(error):
                return True
            await self._pause(error)
        return False

    def _turn(self) -> _Turn | None:
        """What to read next; None where the API has nothing that is new.

        Once the pod is gone nothing more is asked for: by its name the API would give the log of the next one.
        """
        runs = self.runs
        if runs is None or self.gone:
            return None
        before = _Turn(runs.previous, previous=True, ended=True)
        now = _Turn(runs.current, previous=False, ended=runs.ended)
        if not self._run:
            first = before if runs.previous and (self._previous or not runs.current) else now
            return first if first.run else None
        if self._run == runs.current:
            return None if self._done else now
        if self._run == runs.previous:
            return now if self._done and now.run else None if self._done else before
        if not (runs.previous or runs.current):
            return None
        self._tell("following", "runs of it may have come and gone unseen: the API has the last two only")
        return before if before.run else now

    async def _read(self, turn: _Turn) -> None:
        """Read the log of a run on from where it was left."""
        again = turn.run == self._run
        if again and not self._position.last:
            await self._asked()  # without a line to know the log by, it could be that of another pod by now
            if self.gone:
                return
        known = again and bool(self._position.last) and not turn.previous and not self._sure
        self._run, self._done, self._sure = turn.run, False, False
        if self._noted != turn.run:
            about = {"run": turn.run, "state": "previous" if turn.previous else "current"}
            await asyncio.to_thread(self._sink.note, "read log", self._container.target, "ok", about)
            self._noted = turn.run
        resumed = Resumed(self._position)
        async with self._cluster.opened(self._call(turn)) as lines:
            self.served, self.refusal = True, ""
            self._tell("following")
            async for chunk in lines.chunks():
                await self._take(resumed, chunk, doubts=known)
            if (turn.ended or self.gone) and STAMP.match(lines.rest):
                await self._take(resumed, [lines.rest], doubts=known)
        self._failures = 0
        self._done = turn.ended or not self._follow
        if not self._done:  # it ended just now, which the API will tell; or the connection was cut in a clean way
            await self._wait(FIRST_PAUSE_S)

    async def _take(self, resumed: Resumed, chunk: list[bytes], *, doubts: bool) -> None:
        if foreign(chunk):
            trouble = next(line for line in chunk if not STAMP.match(line))
            self._tell("waiting", f"the API says: {plain(trouble.decode('utf-8', 'replace'))}")
            chunk = [line for line in chunk if STAMP.match(line)]
        new = resumed.new(chunk)
        if resumed.shortened and doubts:
            raise _DoubtError
        if not new:
            return
        before = resumed.position
        self._position = resumed.position = after = before.after(new)
        run, lines = self._run, [line.replace(b" ", CRI, 1) for line in new]

        def cursor(taken: int) -> Cursor:
            reached = after if taken == len(new) else before.after(new[:taken])
            return {"run": run, **reached.as_dict()}

        await self._sink.put([Arrival(self._stream, lines, cursor)])

    def _call(self, turn: _Turn) -> Call:
        own = self._container
        query = {"container": own.name, "timestamps": "true"}
        if since := self._position.since or self._since:
            query["sinceTime"] = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if turn.previous:
            query["previous"] = "true"
        if self._follow and not turn.ended:
            query["follow"] = "true"
        path = f"/api/v1/namespaces/{own.namespace}/pods/{own.pod}/log"
        return Call("get", "pods/log", path, f"read the log of {own.target}", own.namespace, query)

    def _ends(self, error: BrokenError | RefusedError) -> bool:
        """Whether an error means that the log is gone with its pod; without following, any error is the end."""
        status = error.status if isinstance(error, RefusedError) else 0
        if self.gone and status in (BAD_REQUEST, NOT_FOUND):
            return True
        self._failures += 1
        passing = not status or status >= SERVER_ERRORS or status == TOO_MANY
        if not self._follow and (not passing or self._failures >= TRIES):
            raise error
        return False

    async def _pause(self, error: BrokenError | RefusedError) -> None:
        """Wait before trying again, for less long where the API has news of the container."""
        status = error.status if isinstance(error, RefusedError) else 0
        longest = min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 16), LONGEST_PAUSE_S)
        if status == FORBIDDEN:
            self.refusal = str(error)
            self._tell("failed", self.refusal)
            self._heard()
            longest = FORBIDDEN_PAUSE_S
        else:
            self._tell("waiting", str(error))
        await self._wait(longest * random.uniform(0.5, 1))  # noqa: S311 - so that not all come back at once

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    def _tell(self, state: str, text: str = "") -> None:
        self._sink.tell(self._container.target, state, text)
