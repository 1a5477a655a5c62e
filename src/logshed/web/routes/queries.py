"""What runs: one's own questions, to be ended; for whoever administers, everybody's."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.web.answers import json_of, moment_of
from logshed.web.site import Shared
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/queries", tags=["sql"])
Reader = Annotated[Person, needs("read")]


@router.get("")
async def running(site: Shared, person: Reader) -> Response:
    """What runs, the oldest first."""
    items = [
        {"id": job.id, "person": job.person, "what": job.what, "begun": moment_of(job.begun)}
        for job in site.running.seen_by(person)
    ]
    return json_of({"items": items, "next": None})


@router.delete("/{job_id}", status_code=204)
async def end(site: Shared, person: Reader, job_id: str) -> Response:
    """End a question; whoever waits for it is told so."""
    job = await asyncio.to_thread(site.running.end, person, job_id)
    if job is None:
        raise HTTPException(404, "there is no such question that runs")
    if job.person != person.name:
        await site.audit(person, "end_query", job_id, details={"of": job.person})
    return Response(status_code=204)
