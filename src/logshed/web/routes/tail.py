"""What arrives from now on, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from logshed.pipeline.explore_mark import Mark
from logshed.search import statements
from logshed.web.looking import Looked
from logshed.web.site import Shared
from logshed.web.specifying import EVENTS
from logshed.web.still import SECONDS, Still
from logshed.web.tailing import Kind
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from logshed.web.site import Site
    from logshed.web.tailing import Message, Reader

T = TypeVar("T")
router = APIRouter(prefix="/api/v1/tail", tags=["records"])
PING_SECONDS = 15.0
"""So often something is sent."""
LONGEST_MARK = 4_000
AGAIN_MS = 2_000
"""After a cut browsers come again so soon."""


@router.get("", response_class=Response, responses=EVENTS)
async def tail(
    request: Request,
    site: Shared,
    person: Annotated[Person, needs("read")],
    look: Looked,
    field: Annotated[list[str] | None, Query(max_length=100, description="Fields; none are all.")] = None,
    after: Annotated[
        str, Query(max_length=LONGEST_MARK, description="Id of the last event that came; or `Last-Event-ID`.")
    ] = "",
    last_event_id: Annotated[str, Header()] = "",
) -> Response:
    """Records that match as they arrive, however old they are: events `records` with `total` and the newest `items`.

    A program that was cut off sends the id of the last event as `Last-Event-ID`, as browsers do, and gets what it
    missed, from a server that was begun anew too; of more than an hour it gets `gap`.
    """
    statements.fields(field or ())
    mark = Mark.read(last_event_id or after) if last_event_id or after else None
    scope = look.window(person).scope.within(None, None)
    kind = Kind(person.grant.scopes, scope, tuple(field or ()))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    still = Still(site.who, request, person)
    return StreamingResponse(_events(site, person, kind, still, mark), media_type="text/event-stream", headers=headers)


async def _events(site: Site, person: Person, kind: Kind, still: Still, mark: Mark | None) -> AsyncIterator[str]:
    ending = asyncio.create_task(site.ending.wait())
    try:
        with site.tails.reader(kind, person.name) as reader:
            while not ending.done() and not reader.begun.is_set():
                await _first(reader.begun.wait(), ending)
            if reader.begun.is_set():
                async for text in _begin(site, kind, reader, mark):
                    yield text
            sent = time.monotonic()
            while not ending.done() and not reader.over.is_set() and await still.may():
                message = await _first(reader.messages.get(), ending)
                if message is not None:
                    yield _told(message)
                    sent = time.monotonic()
                elif time.monotonic() - sent >= PING_SECONDS:
                    yield ": still here\n\n"
                    sent = time.monotonic()
    finally:
        ending.cancel()


async def _begin(site: Site, kind: Kind, reader: Reader, mark: Mark | None) -> AsyncIterator[str]:
    """What is said first: from where on it goes, and what was missed."""
    yield f"retry: {AGAIN_MS}\nid: {mark or Mark.of(reader.there)}\nevent: begun\ndata: {{}}\n\n"
    if mark is None:
        return
    if mark.late():
        yield "event: gap\ndata: {}\n\n"
    message = await site.tails.missed(kind, reader, mark)
    yield _told(message) if message is not None else f"id: {Mark.of(reader.there)}\ndata: {{}}\n\n"


async def _first(what: Coroutine[Any, Any, T], ending: asyncio.Task[Any]) -> T | None:
    """What comes first: something, the end, or the time to look up; None unless it is the first."""
    task = asyncio.create_task(what)
    try:
        await asyncio.wait([task, ending], timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()  # also where the reader has gone, and this is ended


def _told(message: Message) -> str:
    return f"id: {message.mark}\nevent: records\ndata: {message.text}\n\n"
