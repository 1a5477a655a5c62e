"""Keeps account of what runs for whom, so that people see it, and end it, and what nobody waits for ends by itself."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol, TypeVar

from starlette.exceptions import HTTPException

from logshed.errors import OverloadedError, QueryError
from logshed.sql import ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from logshed.api import Lake
    from logshed.sql.result import Result
    from logshed.web.site import Site
    from logshed.web.who import Person

    _Early = tuple[Callable[[], None], Callable[[], float | None]]

T = TypeVar("T")


class Query(Protocol):
    """Runs a statement over what somebody may see."""

    def __call__(self, sql: str, params: dict[str, object] | None = None) -> Result:
        """The statement's result."""
        ...


LOOK_SECONDS = 0.5
"""How often it is looked whether somebody still waits."""
MOST_SENT = 16
"""Answers of one person that are sent as they are read; each holds a statement for as long as its reader takes it."""
AGAIN_SECONDS = 5.0
GONE = 499
"""The status of an answer that nobody waits for."""
SLOW_SECONDS = 1.0
"""What took at least so long is remembered when it is over."""
MOST_OVER = 100
MOST_WORDS = 2_000
"""Characters of what is remembered."""


@dataclass(frozen=True, slots=True)
class Over:
    """Something that ran, and took long.

    Attributes:
        id: Its id.
        person: For whom.
        what: What it did; long ones are cut.
        begun: When it began.
        seconds: How long it took.
        rows: Rows that it gave.
        files: Data files that it read; None where nobody tells.
        outcome: ``done``, ``ended`` by somebody, or ``failed``.
    """

    id: str
    person: str
    what: str
    begun: datetime
    seconds: float
    rows: int
    files: int | None
    outcome: str


@dataclass
class Job:
    """Something that runs.

    Attributes:
        id: Its id.
        person: For whom.
        what: What it does, in words or as a statement.
        begun: When it began.
        ended: Whether it was told to end.
        sent: Whether its rows are sent as they are read, which lasts as long as their reader likes.
        share: How much of it is done, 0 to 1, where it tells that itself.
    """

    lake: Lake
    person: str
    what: str
    id: str = field(default_factory=lambda: token_hex(8))
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: bool = False
    sent: bool = False
    share: float | None = None
    _since: float = field(default_factory=time.monotonic)
    _open: list[Result] = field(default_factory=list)
    _early: list[_Early] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def query(self, sql: str, params: dict[str, object] | None = None, timezone: str | None = None) -> Result:
        """Run a statement of ours as a part of it.

        Args:
            sql: The statement; what people say is bound to it, or written as literals.
            params: Values of its parameters.
            timezone: The zone of days, hours and times that name none; None takes UTC.

        Raises:
            QueryError: The statement is wrong, or this was told to end.
        """
        return self._run(lambda: self.lake.ask(sql, params, timezone=timezone))

    def theirs(self, sql: str, params: dict[str, object] | None = None, timezone: str | None = None) -> Result:
        """Run a statement that somebody has written, in a sandbox.

        Args:
            sql: The statement.
            params: Values of its parameters.
            timezone: The zone of days, hours and times that name none; None takes UTC.

        Raises:
            QueryError: The statement is wrong, does or takes more than it may, or this was told to end.
        """
        return self._run(lambda: self.lake.query(sql, params=params, timezone=timezone, sandbox=True))

    def _run(self, begin: Callable[[], Result]) -> Result:
        self.assert_wanted()
        mine: list[_Early] = []

        def told(end: Callable[[], None], progress: Callable[[], float | None]) -> None:
            one = (end, progress)
            mine.append(one)
            with self._lock:
                late = self.ended
                self._early.append(one)
            if late:
                end()

        try:
            with ending.telling(told):
                result = begin()
        finally:
            with self._lock:
                self._early = [one for one in self._early if one not in mine]
        with self._lock:
            self._open.append(result)
        self.assert_wanted()
        return result

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self._since

    @property
    def rows(self) -> int:
        """Rows that its statements gave so far."""
        return sum(one.rows_given for one in list(self._open))

    @property
    def files(self) -> int | None:
        """Data files that its statements read; None where no engine tells."""
        told = [one.files_read for one in list(self._open) if one.files_read is not None]
        return sum(told) if told else None

    @property
    def progress(self) -> float | None:
        """How much of it is done, 0 to 1, or of the statement that it began last; None where nobody tells."""
        waiting, begun = list(self._early), list(self._open)
        if self.share is not None or not (waiting or begun):
            return self.share
        return waiting[-1][1]() if waiting else begun[-1].progress

    def over(self, outcome: str) -> Over:
        """What is remembered of it."""
        figures = (self.begun, self.seconds, self.rows, self.files)
        return Over(self.id, self.person, self.what[:MOST_WORDS], *figures, "ended" if self.ended else outcome)

    def end(self) -> None:
        """End it: what it runs is interrupted, and it runs nothing more."""
        with self._lock:
            self.ended = True
            early, running, self._open = list(self._early), self._open, []
        for end, _ in early:
            end()
        for result in running:
            result.close()

    def assert_wanted(self) -> None:
        """Go on only if nobody told it to end.

        Raises:
            QueryError: Somebody did.
        """
        if self.ended:
            self.end()
            raise QueryError("cannot go on: the question was ended; ask it again")


class Running:
    """All that runs."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._over: deque[Over] = deque(maxlen=MOST_OVER)

    @contextmanager
    def begun(self, lake: Lake, person: Person, what: str, *, sent: bool = False) -> Iterator[Job]:
        """Something that runs until the block ends, however that is.

        Args:
            lake: The lake as this person sees it.
            person: For whom.
            what: What it does.
            sent: Whether its rows are sent as they are read.

        Raises:
            OverloadedError: Too many of theirs are being sent.
        """
        if sent and sum(job.sent and job.person == person.name for job in self._jobs.values()) >= MOST_SENT:
            raise OverloadedError(
                f"cannot answer: {MOST_SENT} answers of yours are being sent; wait for one, or end it",
                after=AGAIN_SECONDS,
            )
        job = Job(lake, person.name, what, sent=sent)
        self._jobs[job.id] = job
        outcome = "failed"
        try:
            yield job
            outcome = "done"
        finally:
            del self._jobs[job.id]
            if job.seconds >= SLOW_SECONDS:
                self._over.appendleft(job.over(outcome))
            job.end()

    def seen_by(self, person: Person) -> list[Job]:
        """What runs for somebody; for whoever administers, all of it. The oldest first."""
        every = list(self._jobs.values())  # threads ask too, while others begin and end
        return [job for job in every if job.person == person.name or person.may("administer")]

    def over(self, person: Person) -> list[Over]:
        """What ran for somebody and took long, of late; for whoever administers, all of it. The newest first."""
        return [one for one in list(self._over) if one.person == person.name or person.may("administer")]

    def end(self, person: Person, job_id: str) -> Job | None:
        """End something; None where it does not run, or for somebody else."""
        found = next((job for job in self.seen_by(person) if job.id == job_id), None)
        if found is not None:
            found.end()
        return found


async def answered(request: Request, site: Site, person: Person, what: str, work: Callable[[Query], T]) -> T:
    """What work over the lake comes to; it ends when whoever asked is gone.

    Args:
        request: What was asked.
        site: Where.
        person: By whom.
        what: What it does.
        work: Is given what runs a statement over what this person may see; runs in a thread.

    Raises:
        OverloadedError: They ask for too much at once.
        LogshedError: What the work raises.
    """
    with site.running.begun(site.lake(person), person, what) as job:
        return await waited(request, site, person, job, lambda: work(job.query))


async def waited(request: Request, site: Site, person: Person, job: Job, work: Callable[[], T]) -> T:
    """What a part of a job comes to, as ``answered`` gives it.

    Raises:
        OverloadedError: They ask for too much at once.
        LogshedError: What the work raises.
    """
    task = asyncio.ensure_future(site.pool.run(person, work))
    while not task.done():
        await asyncio.wait([task], timeout=LOOK_SECONDS)
        if not task.done() and await request.is_disconnected():
            job.end()
            await asyncio.gather(task, return_exceptions=True)
            raise HTTPException(GONE, "nobody waits for the answer")
    return task.result()
