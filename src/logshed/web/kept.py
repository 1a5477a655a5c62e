"""Keeps answers for many who ask the same: one computes, all are given it, until the lake has changed.

An answer is looked up by who may see what, and by all that was asked. It is as the lake is while no table has changed
and its window has not moved by more than a step. One that took long is computed anew less often, so that a lake into
which records stream leaves time for other questions.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from logshed.errors import QueryError
from logshed.pipeline.boards import answer
from logshed.web.boards import there

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake
    from logshed.pipeline.boards import Ask
    from logshed.sql.result import Result
    from logshed.web.pool import Pool
    from logshed.web.running import Job, Running
    from logshed.web.who import Person

MOST_BYTES = 64_000_000
BESIDE = 1_000
"""Bytes that Python's objects of an answer take."""
STATE_SECONDS = 1.0
"""How long what is known of the lake's state counts."""
STEP_SECONDS = 15.0
"""By how much a window may have moved."""
REST_SECONDS = 1.0
MOST_REST_SECONDS = 60.0
REST_FACTOR = 8.0
"""An answer stands for at least this many times as long as it took to compute."""
STALE_SECONDS = 120.0
"""How old an answer may be that is given while a newer one is computed."""
LONGEST_SECONDS = 120.0
"""How long an answer may take."""
log = logging.getLogger(__name__)

Key = tuple[tuple[str, ...], "Ask", int]
"""Who may see what, what was asked, and of which reading of the questions' files."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is kept.

    Attributes:
        body: It as JSON.
        tag: Its name: the same as long as its figures are.
        made: When it was computed.
        state: What the lake was then.
        begun: The same moment on the clock that never jumps.
        seconds: How long it took.
    """

    body: bytes
    tag: str
    made: datetime
    state: str
    begun: float
    seconds: float

    @property
    def age(self) -> float:
        """Seconds since it was begun."""
        return time.monotonic() - self.begun


class Answers:
    """Answers to questions, kept.

    Args:
        lake: The lake, seen whole; it tells when tables change.
        pool: Where statements run.
        running: Is told what runs.
        most_bytes: What is kept at most; what was not asked for longest goes first.
    """

    def __init__(self, lake: Lake, pool: Pool, running: Running, *, most_bytes: int = MOST_BYTES) -> None:
        self._whole = lake
        self._pool = pool
        self._jobs = running
        self._most = most_bytes
        self._kept: OrderedDict[Key, Answer] = OrderedDict()
        self._bytes = 0
        self._running: dict[Key, asyncio.Task[Answer]] = {}
        self._state: tuple[float, str] = (float("-inf"), "")
        self._looking: asyncio.Task[str] | None = None

    async def of(self, person: Person, lake: Lake, ask: Ask, *, wait: bool = True) -> tuple[Answer, bool]:
        """The answer to a question, and whether it is as the lake is now.

        Args:
            person: Who asks.
            lake: The lake as they see it.
            ask: What they ask.
            wait: Wait for an answer that is as the lake is; else one that is a little old is given at once, and a newer
                one is computed meanwhile.

        Raises:
            logshed.errors.LogshedError: It cannot be answered.
        """
        key = (tuple(sorted(person.grant.scopes)), ask, there(tuple(self._whole.settings.plugins)).number)
        state = await self._now()
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            if _stands(kept, state, moves=ask.moves):
                return kept, True
        task = self._running.get(key) or self._started(person, lake, key, state)
        if kept is not None and not wait and kept.age < STALE_SECONDS:
            return kept, False
        return await asyncio.shield(task), True

    def _started(self, person: Person, lake: Lake, key: Key, state: str) -> asyncio.Task[Answer]:
        task = asyncio.create_task(self._computed(person, lake, key, state))
        self._running[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def _computed(self, person: Person, lake: Lake, key: Key, state: str) -> Answer:
        begun, made = time.monotonic(), datetime.now(UTC)
        with self._jobs.begun(lake, person, key[1].question) as job:
            plugins = tuple(self._whole.settings.plugins)
            work = asyncio.ensure_future(self._pool.run(person, _compute, job, key[1], plugins))
            if not (await asyncio.wait([work], timeout=LONGEST_SECONDS))[0]:
                await asyncio.to_thread(job.end)
                await asyncio.wait([work])
                raise QueryError(f"cannot answer: it takes longer than {LONGEST_SECONDS:g} s; ask for a shorter time")
            body, tag, seconds = work.result()
        self._keep(key, found := Answer(body, tag, made, state, begun, seconds))
        return found

    def _keep(self, key: Key, found: Answer) -> None:
        old = self._kept.pop(key, None)
        self._bytes += _size(key, found) - (_size(key, old) if old else 0)
        self._kept[key] = found
        while self._bytes > self._most and len(self._kept) > 1:
            self._bytes -= _size(*self._kept.popitem(last=False))

    def _ended(self, key: Key, task: asyncio.Task[Answer]) -> None:
        self._running.pop(key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("cannot answer %s: %s", key[1].question, error)  # whoever waits for it is told; nobody may

    async def _now(self) -> str:
        """The lake's state; one looks for all, and never in the thread that answers."""
        at, state = self._state
        return state if time.monotonic() - at < STATE_SECONDS else await asyncio.shield(self.look())

    def look(self) -> asyncio.Task[str]:
        """Begin to look at the lake's state, which is slow the first time, unless somebody does."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._looked())
            self._looking.add_done_callback(self._seen)
        return self._looking

    async def _looked(self) -> str:
        at = time.monotonic()
        state = await asyncio.to_thread(self._whole.state)
        self._state = (at, state)
        return state

    def _seen(self, task: asyncio.Task[str]) -> None:
        self._looking = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("cannot tell the lake's state: %s", error)

    async def close(self) -> None:
        """Leave what is being computed."""
        left = [*self._running.values(), *([self._looking] if self._looking else [])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _size(key: Key, kept: Answer) -> int:
    """Bytes that an answer takes with what was asked, which may be a long search with nothing found."""
    return len(kept.body) + len(repr(key)) + BESIDE


def _stands(kept: Answer, state: str, *, moves: bool) -> bool:
    rest = min(max(REST_SECONDS, REST_FACTOR * kept.seconds), MOST_REST_SECONDS)
    age = kept.age
    return age < rest or (kept.state == state and (not moves or age < max(rest, STEP_SECONDS)))


def _compute(job: Job, ask: Ask, plugins: tuple[Path, ...]) -> tuple[bytes, str, float]:
    begun = time.monotonic()
    known = there(plugins)

    def query(sql: str, params: dict[str, object]) -> Result:
        return job.query(sql, params, ask.timezone)

    if ask.question not in known.questions:
        raise QueryError(f"cannot answer {ask.question}: its file is gone; load the page again")
    told = answer(ask, known.questions[ask.question], query, known.gold)
    tag = sha256(orjson.dumps([told["columns"], told["data"], told["reached"]])).hexdigest()[:24]
    return orjson.dumps(told), tag, time.monotonic() - begun
