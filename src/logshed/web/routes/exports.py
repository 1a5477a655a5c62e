"""Everything that a search finds, as a file: without a cap, sent as it is read."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from logshed.pipeline.search import Search, found
from logshed.web.looking import Looked
from logshed.web.running import waited
from logshed.web.site import Shared
from logshed.web.still import Still
from logshed.web.streaming import STREAMED, Form, form_of, streamed
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/export", tags=["records"])


@router.get("", response_class=Response, responses=STREAMED)
async def export(
    request: Request,
    site: Shared,
    person: Annotated[Person, needs("read")],
    look: Looked,
    form: Annotated[Form | None, Query(alias="format", description="`Accept` says it otherwise.")] = None,
    field: Annotated[list[str] | None, Query(max_length=100, description="Fields; none are all.")] = None,
    limit: Annotated[int | None, Query(ge=1)] = None,
    oldest_first: Annotated[bool, Query()] = False,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """All records that match, newest first, as they are found.

    In CSV a text that a spreadsheet would take for a formula begins with an apostrophe; maps are JSON, times RFC 3339.
    """
    asked, chosen = look.window(person), form or form_of(accept)
    search = Search(asked.seen, tuple(field or ()), limit, oldest_first)
    details = {"search": look.q, "format": chosen, "since": look.since, "until": look.until}
    await site.audit(person, "export", "records", details=details, collection=look.collection or "*")
    with ExitStack() as stack:
        job = stack.enter_context(site.running.begun(site.lake(person), person, f"export of {look.q}", sent=True))
        result = await waited(request, site, person, job, lambda: found(search, job.query))
        held = stack.pop_all()
    name = f"{re.sub(r'[^A-Za-z0-9]+', '-', look.collection or 'logs')}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    return streamed(result, chosen, Still(site.who, request, person), name, held)
