"""Findings over the API: lists, a stream of what is found, and the run of detection that a button begins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from logshed.errors import UsageError
from logshed.pipeline import casebook
from logshed.web.security import BLANK, Detecting, Newest, assert_sees_all, detecting, newest
from logshed.web.site import Shared, Site
from logshed.web.specifying import EVENTS
from logshed.web.still import Still
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

router = APIRouter(prefix="/api/v1", tags=["security"], responses=BLANK)
Reads = Annotated[Person, needs("read")]
Rules = Annotated[Person, needs("rules")]
Level = Literal["informational", "low", "medium", "high", "critical"]
BEAT_SECONDS = 15.0
"""How often a stream shows that it lives, and it is looked whether who reads it still may."""
MOST_AT_ONCE = 500
UNKEPT = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Wanted(BaseModel):
    """Which findings, and how many."""

    model_config = ConfigDict(extra="forbid")

    since: str = Field("7d", description="Those that end then or later: 24h, 7d, a date, all.", max_length=64)
    until: str = Field("", description="Those that begin before; empty is now.", max_length=64)
    level: list[Level] = Field(default_factory=list, description="Any of these; none are all.")
    confidence: list[Literal["high", "low"]] = Field(default_factory=list)
    kind: list[str] = Field(default_factory=list, description="event, correlation, anomaly …: any of these.")
    collection: list[str] = Field(default_factory=list, description="Any of these.")
    actor: str = Field("", description="Glob on the actor.", max_length=256)
    rule: str = Field("", description="Glob on the rule's name.", max_length=256)
    q: str = Field("", description="A part of the actor, the rule or the sentence.", max_length=256)
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, description="`next` of the page before.", max_length=1024)


@router.get("/findings")
async def findings(site: Shared, person: Reads, wanted: Annotated[Wanted, Query()]) -> dict[str, Any]:
    """Findings: what one actor did by one rule within some time, the latest first."""
    lake = site.lake(person)
    which = casebook.Filter(
        since=lake.moment(wanted.since),
        until=lake.moment(wanted.until or "now"),
        one_of={
            "level": wanted.level,
            "confidence": wanted.confidence,
            "rule_kind": wanted.kind,
            "collection": wanted.collection,
        },
        globs={"actor": wanted.actor},
        rule=wanted.rule,
        text=wanted.q,
    )
    found = await site.pool.run(
        person, lambda: casebook.findings(lake.ask, which, limit=wanted.limit, cursor=wanted.cursor)
    )
    return {"items": found.items, "next": found.next}


@router.get("/findings/stream", response_class=StreamingResponse, responses=EVENTS)
async def stream(
    request: Request,
    site: Shared,
    person: Reads,
    waits: Annotated[Newest, Depends(newest)],
    since: Annotated[str, Query(max_length=64, description="Found after this; empty is from now on.")] = "",
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """Findings as they are found, or go on, as server-sent events; a reader that comes again misses none."""
    begun = _begun(site, since, last_event_id)
    lines = _events(request, site, person, waits, begun)
    return StreamingResponse(lines, media_type="text/event-stream", headers=UNKEPT)


async def _events(
    request: Request, site: Site, person: Person, waits: Newest, moment: datetime
) -> AsyncIterator[bytes]:
    lake, still = site.lake(person), Still(site.who, request, person)
    yield b"retry: 2000\n: findings\n\n"
    while not site.ending.is_set():
        more = await waits.after(moment, BEAT_SECONDS)
        if not await still.may():
            return
        if not more:
            yield b": still here\n\n"
            continue
        found = await site.pool.run(person, casebook.found_after, lake.ask, moment, MOST_AT_ONCE)
        for row in found:
            moment = max(moment, row["observed_timestamp"])
            yield b"id: %s\nevent: finding\ndata: %s\n\n" % (moment.isoformat().encode(), orjson.dumps(row))
        if not found:  # it is of a collection that they do not see
            moment = max(moment, waits.moment or moment)


def _begun(site: Site, since: str, last_event_id: str) -> datetime:
    for text in (last_event_id, since):
        if text:
            try:
                found = datetime.fromisoformat(text)
                return found if found.tzinfo else found.replace(tzinfo=UTC)
            except ValueError:
                if text is last_event_id:
                    raise UsageError("cannot go on: Last-Event-ID is none of this stream; begin without it") from None
    return site.whole.moment(since or "now")


@router.get("/detections")
async def detection(person: Rules, run: Annotated[Detecting, Depends(detecting)]) -> dict[str, Any]:
    """How the run of detection stands that somebody began here: idle, running, done or failed."""
    assert_sees_all(person, "detection is")
    return run.state()


@router.post("/detections", status_code=202, responses={409: {"description": "It is running."}})
async def detect(site: Shared, person: Rules, run: Annotated[Detecting, Depends(detecting)]) -> dict[str, Any]:
    """Look for rules in all records that were not looked at yet."""
    assert_sees_all(person, "detection is")
    await site.audit(person, "detect", "new records")
    run.begin(person)
    return run.state()
