"""What runs: one's own questions, to be ended; for whoever administers, everybody's."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.web.answers import json_of, moment_of
from logshed.web.running import MOST_WORDS
from logshed.web.site import Shared
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/queries", tags=["sql"])
Reader = Annotated[Person, needs("read")]


@router.get("")
async def running(site: Shared, person: Reader) -> Response:
    """What runs, the oldest first: for how long, how many rows it gave so far, and how much of it is done if known."""
    items = [
        {
            "id": job.id,
            "person": job.person,
            "what": job.what[:MOST_WORDS],
            "begun": moment_of(job.begun),
            "seconds": round(job.seconds, 3),
            "rows": job.rows,
            "files": job.files,
            "progress": job.progress,
            "ending": job.ended,
        }
        for job in site.running.seen_by(person)
    ]
    return json_of({"items": items, "next": None})


@router.get("/over")
async def over(site: Shared, person: Reader) -> Response:
    """What is over and took a second or more, the newest first, until the server is started anew."""
    items = [asdict(one) | {"begun": moment_of(one.begun)} for one in site.running.over(person)]
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
