"""What the routes of Security share: what somebody may not see, the run of detection, who waits for findings."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotations
from starlette.exceptions import HTTPException

from logshed.errors import BusyError, LogshedError, MissingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.pipeline.detect_report import DetectReport
    from logshed.web.site import Site
    from logshed.web.who import Person

POLL_SECONDS = 2.0
"""How often it is looked whether there are new findings, while somebody waits for them."""
BLANK: dict[int | str, dict[str, Any]] = {
    401: {"description": "Nobody is known by what was sent."},
    403: {"description": "It is not allowed, or of a collection that may not be seen."},
    422: {"description": "What was asked is wrong; the problem says where."},
}
"""Answers that all routes of the area may give."""


def unseen(person: Person, what: str, name: str) -> HTTPException:
    """What one is told who asks for something that is not there, or that they may not see: they learn not which."""
    if person.grant.unlimited:
        return HTTPException(404, f"cannot find {what} {name[:80]}: there is none")
    return HTTPException(
        403, f"not allowed: there is no {what} {name[:80]}, or it is of a collection that you may not see"
    )


def assert_sees_all(person: Person, what: str) -> None:
    """Refuse who sees some collections alone.

    Raises:
        HTTPException: They do.
    """
    if not person.grant.unlimited:
        raise HTTPException(403, f"not allowed: {what} of all collections, and you may see some alone")


class Detecting:
    """The run of detection that somebody began by a button; one at a time.

    Args:
        site: What is looked at.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._task: asyncio.Task[None] | None = None
        self._state: dict[str, Any] = {"state": "idle"}

    def state(self) -> dict[str, Any]:
        """How it stands: ``state`` is ``idle``, ``running``, ``done`` or ``failed``."""
        return dict(self._state)

    def begin(self, person: Person) -> None:
        """Look at what is new.

        Raises:
            BusyError: It is being done.
        """
        if self._task is not None and not self._task.done():
            raise BusyError(f"cannot run detection: {self._state['by']} began it, and it is running; wait for its end")
        self._state = {"state": "running", "by": person.name, "started": _now(), "rows": 0}
        self._task = asyncio.create_task(self._run(person))

    async def _run(self, person: Person) -> None:
        state = self._state

        def progress(done: int, _: int) -> None:
            state["rows"] = done

        try:
            report = await self._site.pool.run(person, lambda: self._site.whole.security.detect(progress=progress))
        except LogshedError as error:
            state |= {"state": "failed", "detail": str(error), "ended": _now()}
        else:
            state |= {"state": "done", "ended": _now(), **_summed(report)}
        finally:
            if state["state"] == "running":  # what nobody foresaw, which the log tells
                state |= {"state": "failed", "detail": "something failed here; the server's log says what"}


class Newest:
    """Tells those who wait when there are new findings: one looks for all of them, and only while somebody waits.

    Args:
        site: What is looked at.

    Attributes:
        moment: When the newest was found; None where there is none yet.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting = 0
        self._turn = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.moment: datetime | None = None
        self._state: tuple[int, int] | None = None
        self._known: datetime | None = None

    async def after(self, moment: datetime, seconds: float) -> bool:
        """Wait until something was found after a moment.

        Args:
            moment: The moment.
            seconds: Wait no longer.

        Returns:
            Whether it was.
        """
        self._waiting += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        waits = {asyncio.create_task(self._passed(moment)), asyncio.create_task(self._site.ending.wait())}
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting -= 1
            for one in waits:
                one.cancel()
        return self._is_after(moment)

    async def _passed(self, moment: datetime) -> None:
        async with self._turn:
            await self._turn.wait_for(lambda: self._is_after(moment))

    def _is_after(self, moment: datetime) -> bool:
        return self.moment is not None and self.moment > moment

    def _newest(self) -> datetime | None:
        """Ask only where the table was written since: a statement costs more than a look at where it stands."""
        from logshed.pipeline.casebook import newest  # noqa: PLC0415 - heavy

        state = self._site.whole.snapshot("findings")
        if state != self._state:
            self._known = newest(self._site.whole.ask)
            self._state = state
        return self._known

    async def _look(self) -> None:
        while self._waiting and not self._site.ending.is_set():
            with suppress(LogshedError):  # the lake is asked again; its readers are told elsewhere
                found = await asyncio.to_thread(self._newest)
                async with self._turn:
                    self.moment = found
                    self._turn.notify_all()
            await asyncio.sleep(POLL_SECONDS)


def detecting(request: Request) -> Detecting:
    """The site's run of detection."""
    state = request.app.state
    if not hasattr(state, "detecting"):
        state.detecting = Detecting(state.site)
    found: Detecting = state.detecting
    return found


def newest(request: Request) -> Newest:
    """The site's look-out for findings."""
    state = request.app.state
    if not hasattr(state, "newest"):
        state.newest = Newest(state.site)
    found: Newest = state.newest
    return found


async def asked(site: Site, person: Person, what: str, name: str, work: Callable[[], Any]) -> Any:
    """What work on something that has a name comes to.

    Raises:
        HTTPException: There is nothing of this name that they may see.
    """
    try:
        return await site.pool.run(person, work)
    except MissingError:
        raise unseen(person, what, name) from None


def _summed(report: DetectReport) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "rules": report.rules,
        "findings": report.findings.height,
        "incidents": report.incidents["incident_id"].n_unique(),
        "suppressed": report.suppressed,
        "broken": len(report.broken),
        "seconds": round(report.seconds, 3),
    }


def _now() -> datetime:
    return datetime.now(UTC)
