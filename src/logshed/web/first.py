"""The first look at a search in one answer: its window, records and bars, each as soon as it is there.

A page of ours begins it when it is asked for itself, before the browser has any script; what the script asks joins it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException

from logshed.errors import LogshedError
from logshed.pipeline.explore_first import FirstLook, Wanted
from logshed.web.answers import bars_told, rows_json, window_told
from logshed.web.running import GONE, LOOK_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from starlette.requests import Request

    from logshed.pipeline.explore_pages import Rows
    from logshed.web.looking import Look
    from logshed.web.running import Job
    from logshed.web.site import Site
    from logshed.web.who import Person

STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Parts of the answer, as lines.", "content": {"application/x-ndjson": {"schema": {}}}}
}
"""What the route answers."""
MOST_BEGUN = 4
"""Of one person, begun by pages whose scripts have not asked for it yet."""
WAITING_SECONDS = 15.0
"""How long a page's script may take until it asks."""


class First:
    """A first look that runs; one reader is told what it finds.

    Args:
        site: Where.
        person: For whom.
        look: The search.
        wanted: What is shown of it.

    Raises:
        LogshedError: The search is wrong.
        HTTPException: The collection is not theirs.
    """

    def __init__(self, site: Site, person: Person, look: Look, wanted: Wanted) -> None:
        self.asked = (person, look, wanted)
        self._site = site
        self._window = look.window(person)
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._done)

    async def parts(self) -> AsyncGenerator[bytes]:
        """Each part as a line of JSON; who stops reading ends it.

        Raises:
            LogshedError: It cannot be answered.
        """
        try:
            while (part := await self._parts.get()) is not None:
                yield part
            await self._task
        finally:
            self.end()

    def end(self) -> None:
        """Let it go: nobody waits for it."""
        self._task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # who reads is told; nobody may
        self._parts.put_nowait(None)

    async def _run(self) -> None:
        person, look, _ = self.asked
        lake = self._site.lake(person)
        with self._site.running.begun(lake, person, f"search {look.q}") as job:
            try:
                await self._found(job)
            finally:
                await asyncio.shield(asyncio.to_thread(job.end))  # what still runs is interrupted

    async def _found(self, job: Job) -> None:
        person, _, wanted = self.asked
        run, site = self._site.pool.run, self._site

        def begun() -> FirstLook:
            known = site.extents.of(site.lake(person), person, job.query, self._window.scope.collection)
            return FirstLook(job.query, self._window, known, wanted)

        look = await run(person, begun)
        if look.opening is not None:
            self._tell(window=window_told(look.opening))
        near, _ = await asyncio.gather(self._near(person, look), self._count(person, look))
        if near is None:
            self._tell_rows(await run(person, look.rest))

    async def _near(self, person: Person, look: FirstLook) -> Rows | None:
        rows = await self._site.pool.run(person, look.near)
        if rows is not None:
            self._tell_rows(rows)
        return rows

    async def _count(self, person: Person, look: FirstLook) -> None:
        opening, bars = await self._site.pool.run(person, look.count)
        self._tell(window=window_told(opening), bars=bars_told(bars))

    def _tell(self, **parts: object) -> None:
        self._parts.put_nowait(orjson.dumps(parts) + b"\n")

    def _tell_rows(self, rows: Rows) -> None:
        self._parts.put_nowait(b'{"records":' + rows_json(rows.frame, following=rows.next) + b"}\n")


class Firsts:
    """First looks that pages have begun, each for the script of that page alone.

    Args:
        site: Where.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._begun: OrderedDict[str, First] = OrderedDict()

    def begin(self, person: Person, look: Look, wanted: Wanted) -> str:
        """Begin one, and tell the name by which it is taken; empty where the search is wrong.

        Args:
            person: For whom.
            look: The search.
            wanted: What is shown of it.
        """
        try:
            found = First(self._site, person, look, wanted)
        except LogshedError:
            return ""  # the script asks, and is told what is wrong
        name = token_urlsafe(12)
        own = [known for known, one in self._begun.items() if one.asked[0].name == person.name]
        for known in own[: max(0, len(own) + 1 - MOST_BEGUN)]:
            self._leave(known)
        self._begun[name] = found
        asyncio.get_running_loop().call_later(WAITING_SECONDS, self._leave, name)
        return name

    def taken(self, name: str, person: Person, look: Look, wanted: Wanted) -> First:
        """One that was begun for just this question and by the same person, else one that begins now.

        Args:
            name: As ``begin`` told it; may be anything.
            person: Who asks.
            look: The search.
            wanted: What is shown of it.

        Raises:
            LogshedError: The search is wrong.
            HTTPException: The collection is not theirs.
        """
        found = self._begun.get(name)
        if found is not None and found.asked[0] == person:
            del self._begun[name]
            if found.asked == (person, look, wanted):
                return found
            found.end()
        return First(self._site, person, look, wanted)

    def _leave(self, name: str) -> None:
        found = self._begun.pop(name, None)
        if found is not None:
            found.end()


async def ahead(request: Request, parts: AsyncGenerator[bytes]) -> bytes:
    """The first part, up to which an error has a status of its own; it ends when whoever asked is gone.

    Args:
        request: What was asked.
        parts: All of them.

    Raises:
        LogshedError: It cannot be answered.
    """
    part = asyncio.ensure_future(anext(parts))
    while not (await asyncio.wait([part], timeout=LOOK_SECONDS))[0]:
        if await request.is_disconnected():
            part.cancel()
            raise HTTPException(GONE, "nobody waits for the answer")
    return part.result()


async def told(begun: bytes, parts: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    """What is sent: the first part, the others, and an error where there is one."""
    try:
        async with aclosing(parts):
            yield begun
            async for part in parts:
                yield part
    except LogshedError as error:
        yield orjson.dumps({"error": str(error)}) + b"\n"
