"""What arrives from now on, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from logshed.search import statements
from logshed.web.looking import Looked
from logshed.web.site import Shared
from logshed.web.still import SECONDS, Still
from logshed.web.tailing import Kind
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from logshed.web.site import Site

router = APIRouter(prefix="/api/v1/tail", tags=["records"])
PING_SECONDS = 15.0
"""So often something is sent."""


@router.get("", response_class=Response)
async def tail(
    request: Request,
    site: Shared,
    person: Annotated[Person, needs("read")],
    look: Looked,
    field: Annotated[list[str] | None, Query(max_length=100, description="Fields; none are all.")] = None,
) -> Response:
    """Records that match as they arrive, however old they are: events `records` with `total` and the newest `items`."""
    statements.fields(field or ())
    scope = look.window(person).scope.within(None, None)
    kind = Kind(person.grant.scopes, scope, tuple(field or ()))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    still = Still(site.who, request, person)
    return StreamingResponse(_events(site, kind, still), media_type="text/event-stream", headers=headers)


async def _events(site: Site, kind: Kind, still: Still) -> AsyncIterator[str]:
    ending = asyncio.create_task(site.ending.wait())
    try:
        with site.tails.reader(kind) as queue:
            await asyncio.wait(
                [asyncio.create_task(site.tails.ready.wait()), ending], return_when=asyncio.FIRST_COMPLETED
            )
            yield "event: begun\ndata: {}\n\n"
            sent = time.monotonic()
            while not ending.done() and await still.may():
                message = asyncio.create_task(queue.get())
                await asyncio.wait([message, ending], timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if message.done():
                    yield f"event: records\ndata: {message.result()}\n\n"
                    sent = time.monotonic()
                    continue
                message.cancel()
                if time.monotonic() - sent >= PING_SECONDS:
                    yield ": still here\n\n"
                    sent = time.monotonic()
    finally:
        ending.cancel()
