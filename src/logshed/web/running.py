"""Keeps account of what runs for whom, so that people see it, and end it, and what nobody waits for ends by itself."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol, TypeVar

from starlette.exceptions import HTTPException

from logshed.errors import OverloadedError, QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from logshed.api import Lake
    from logshed.sql.result import Result
    from logshed.web.site import Site
    from logshed.web.who import Person

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
    """

    lake: Lake
    person: str
    what: str
    id: str = field(default_factory=lambda: token_hex(8))
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: bool = False
    sent: bool = False
    _open: list[Result] = field(default_factory=list)
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
        self._check()
        result = begin()
        with self._lock:
            self._open.append(result)
        self._check()
        return result

    def end(self) -> None:
        """End it: what it runs is interrupted, and it runs nothing more."""
        with self._lock:
            self.ended = True
            running, self._open = self._open, []
        for result in running:
            result.close()

    def _check(self) -> None:
        if self.ended:
            self.end()
            raise QueryError("cannot go on: the question was ended; ask it again")


class Running:
    """All that runs."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

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
        try:
            yield job
        finally:
            del self._jobs[job.id]
            job.end()

    def seen_by(self, person: Person) -> list[Job]:
        """What runs for somebody; for whoever administers, all of it. The oldest first."""
        every = list(self._jobs.values())  # threads ask too, while others begin and end
        return [job for job in every if job.person == person.name or person.may("administer")]

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
