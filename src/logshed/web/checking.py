"""Long checks that people begin and come back to: one at a time, with how far each is, and what came of the last."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from logshed.errors import BusyError, LogshedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.api import Lake
    from logshed.web.running import Job, Running
    from logshed.web.who import Person

MOST_WAITING = 8
"""Checks that run or wait for their turn: each reads much of the lake."""
MOST_KEPT = 30
"""Checks that are over and whose results are kept, until the server ends."""
STATES = ("waiting", "running", "ending", "done", "failed", "ended")
log = logging.getLogger(__name__)


class Tell(Protocol):
    """Is told how far a check is; raises where nobody wants it any more."""

    def __call__(self, done: int, total: int, place: str = "") -> None:
        """So much of so much is done, at this place."""
        ...


@dataclass
class Check:
    """One check.

    Attributes:
        id: Its id.
        by: Who began it.
        begun: When.
        kind: ``integrity``, ``redaction`` or ``compliance``.
        asked: What was asked for.
        state: One of ``STATES``.
        place: Where it is.
        done: How much of that is done.
        total: Of how much.
        ended: When it was over.
        detail: Why it failed.
        result: What came of it.
    """

    id: str
    by: str
    begun: datetime
    kind: str
    asked: dict[str, Any]
    state: str = "waiting"
    place: str = ""
    done: int = 0
    total: int = 0
    ended: datetime | None = None
    detail: str = ""
    result: dict[str, Any] | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, *, whole: bool = True) -> dict[str, Any]:
        """It as the API tells it.

        Args:
            whole: With the result.
        """
        return {
            "id": self.id,
            "kind": self.kind,
            "asked": self.asked,
            "by": self.by,
            "begun": self.begun,
            "state": self.state,
            "progress": {"place": self.place, "done": self.done, "total": self.total},
            "ended": self.ended,
            "detail": self.detail or None,
            "ok": self.result.get("ok") if self.result else None,
            **({"result": self.result} if whole else {}),
        }


class Checks:
    """All checks that run, wait, or are over.

    Args:
        running: Is told of them, as of questions.
        ending: Set when the server is to end.
    """

    def __init__(self, running: Running, ending: asyncio.Event) -> None:
        self._running = running
        self._ending = ending
        self._kept: dict[str, Check] = {}
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(1, "logshed-web-check")

    def begin(
        self, lake: Lake, person: Person, kind: str, asked: dict[str, Any], work: Callable[[Tell], dict[str, Any]]
    ) -> Check:
        """Begin a check, once those before it are over.

        Args:
            lake: What is checked.
            person: Who wants it.
            kind: Which check it is.
            asked: What was asked for.
            work: Does it in a thread, and tells how far it is.

        Raises:
            BusyError: Too many wait.
        """
        if len(self._jobs) >= MOST_WAITING:
            raise BusyError(f"cannot begin the check: {MOST_WAITING} run or wait; wait for their end, or end one")
        stack = ExitStack()
        words = ", ".join(f"{name} {value}" for name, value in asked.items() if value is not None)
        what = f"check of {kind}" + (f": {words}" if words else "")
        job = stack.enter_context(self._running.begun(lake, person, what))
        self._jobs[job.id] = job
        check = self._kept[job.id] = Check(job.id, person.name, job.begun, kind, asked)
        task = asyncio.create_task(self._run(check, job, work, stack))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return check

    def all(self) -> list[Check]:
        """All that are kept, the newest first."""
        return list(reversed(self._kept.values()))

    def of(self, name: str) -> Check | None:
        """A check by its id; None where there is none any more."""
        return self._kept.get(name)

    def end(self, name: str) -> bool:
        """End a check; whether there was one that was not over."""
        job, check = self._jobs.get(name), self._kept.get(name)
        if job is None or check is None:
            return False
        job.end()
        check.state = "ending"
        return True

    async def wait(self, check: Check, seconds: float) -> None:
        """Wait until a check is over, or for some time, or until the server is to end."""
        waits = {asyncio.create_task(check.over.wait()), asyncio.create_task(self._ending.wait())}
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in waits:
            one.cancel()

    async def close(self) -> None:
        """End all."""
        for job in self._jobs.values():
            job.end()
        self._thread.shutdown(wait=False, cancel_futures=True)
        for task in (left := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(self, check: Check, job: Job, work: Callable[[Tell], dict[str, Any]], stack: ExitStack) -> None:
        wanted = True
        try:
            with stack:
                try:
                    loop = asyncio.get_running_loop()
                    check.result = await loop.run_in_executor(self._thread, _worked, check, job, work)
                finally:
                    wanted = not job.ended
            check.state = "done"
        except LogshedError as error:
            check.state, check.detail = ("failed", str(error)) if wanted else ("ended", "")
        except Exception:
            log.exception("a check of %s broke", check.kind)
            check.state, check.detail = "failed", "something failed here; the server's log says what"
        finally:
            check.ended = datetime.now(UTC)
            check.over.set()
            del self._jobs[check.id]
            over = [name for name in self._kept if name not in self._jobs]
            for name in over[: max(0, len(over) - MOST_KEPT)]:
                del self._kept[name]


def _worked(check: Check, job: Job, work: Callable[[Tell], dict[str, Any]]) -> dict[str, Any]:
    job.assert_wanted()
    check.state = "running"

    def tell(done: int, total: int, place: str = "") -> None:
        job.assert_wanted()
        check.place, check.done, check.total = place, done, total
        job.share = done / total if total else None

    return work(tell)
