"""Incidents over the API: lists, one with its evidence and its actor, and what people do with them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from logshed.errors import MissingError
from logshed.pipeline import casebook, evidence
from logshed.pipeline.casework import Change
from logshed.web.security import BLANK, asked, unseen
from logshed.web.site import Shared, Site
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/incidents", tags=["security"], responses=BLANK)
Reads = Annotated[Person, needs("read")]
Triages = Annotated[Person, needs("triage")]
Status = Literal["open", "muted", "closed"]
Threat = Literal["low", "medium", "high", "critical"]
Severity = Literal["informational", "low", "medium", "high", "critical"]
MOST_AT_ONCE = 200
EXAMPLE: Any = {"ids": ["3f2a9c0d"], "status": "muted", "until": "7d", "note": "our own scanner, asked ops"}


class Wanted(BaseModel):
    """Which incidents, and how many."""

    model_config = ConfigDict(extra="forbid")

    since: str = Field("7d", description="Those that end then or later: 24h, 7d, a date, all.", max_length=64)
    until: str = Field("", description="Those that begin before; empty is now.", max_length=64)
    status: list[Status] = Field(default_factory=list, description="Any of these; none are all.")
    threat: list[Threat] = Field(default_factory=list, description="Threat level by the score: any of these.")
    severity: list[Severity] = Field(default_factory=list, description="The worst rule's level: any of these.")
    collection: list[str] = Field(default_factory=list, description="Any of these.")
    actor: str = Field("", description="Glob on the actor, such as 192.0.2.*.", max_length=256)
    assignee: str = Field("", description="Glob on who works on it.", max_length=256)
    rule: str = Field("", description="Glob on the name of one of its rules.", max_length=256)
    q: str = Field("", description="A part of the actor, a rule's name or the assignee.", max_length=256)
    order: Literal["worst", "latest"] = "worst"
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, description="`next` of the page before.", max_length=1024)


class Changed(BaseModel):
    """What is done; what is not given is left."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"status": "closed", "note": "It is our own scanner."}]}
    )

    status: Status | None = None
    note: str = Field("", max_length=10_000)
    assignee: str | None = Field(None, max_length=256, description="Who works on it; empty is nobody.")
    until: str = Field("7d", max_length=64, description="With the status muted: for how long, 12h, 7d or a date.")


class ChangedSeveral(Changed):
    """The same, done to several."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    ids: list[str] = Field(min_length=1, max_length=MOST_AT_ONCE)


@router.get("")
async def incidents(site: Shared, person: Reads, wanted: Annotated[Wanted, Query()]) -> dict[str, Any]:
    """Incidents: findings grouped by actor and time, the worst first."""
    lake = site.lake(person)
    order = casebook.ORDERS[wanted.order]

    def work() -> casebook.Page:
        return casebook.incidents(lake.ask, _filter(site, wanted), order, limit=wanted.limit, cursor=wanted.cursor)

    found = await site.pool.run(person, work)
    return {"items": found.items, "next": found.next}


@router.get("/counts")
async def counts(site: Shared, person: Reads, since: Annotated[str, Query(max_length=64)] = "7d") -> dict[str, Any]:
    """How many incidents there are, by status and threat level."""
    lake = site.lake(person)
    begin, end = lake.moment(since), lake.moment("now")
    return {"items": await site.pool.run(person, lambda: casebook.counts(lake.ask, begin, end))}


@router.get("/{incident}")
async def one(site: Shared, person: Reads, incident: str) -> dict[str, Any]:
    """One incident: its score, its findings in order, what was written on it and how it was changed."""
    return casebook.told(await _row(site, person, incident))


@router.get("/{incident}/findings")
async def its_findings(site: Shared, person: Reads, incident: str) -> dict[str, Any]:
    """Its findings, each with what matched."""
    row, lake = await _row(site, person, incident), site.lake(person)
    return {"items": await site.pool.run(person, lambda: evidence.findings_of(lake.ask, row)), "next": None}


@router.get("/{incident}/evidence")
async def its_records(
    site: Shared,
    person: Reads,
    incident: str,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:
    """The records that its findings name, with the lines as they were received where those are still kept."""
    row, lake = await _row(site, person, incident), site.lake(person)
    found = await site.pool.run(person, lambda: evidence.records(lake.ask, row, offset=cursor, limit=limit))
    more = cursor + limit < found.total
    return {"items": found.items, "total": found.total, "next": cursor + limit if more else None}


@router.get("/{incident}/actor")
async def its_actor(site: Shared, person: Reads, incident: str) -> dict[str, Any]:
    """Who the actor is by their records in the incident's time: facts, places, how much when, other incidents."""
    row, lake = await _row(site, person, incident), site.lake(person)
    found: dict[str, Any] = await site.pool.run(person, lambda: evidence.actor(lake.ask, row))
    return found


@router.patch("/{incident}")
async def change(site: Shared, person: Triages, incident: str, changed: Changed) -> dict[str, Any]:
    """Change its status or assignee, or write a note on it."""
    (row,) = await _change(site, person, [incident], changed)
    return casebook.told(row)


@router.patch("")
async def change_several(site: Shared, person: Triages, changed: ChangedSeveral) -> dict[str, Any]:
    """Do the same to several incidents, all or none."""
    rows = await _change(site, person, changed.ids, changed)
    return {"items": [casebook.told(row) for row in rows], "next": None}


async def _row(site: Site, person: Person, incident: str) -> dict[str, Any]:
    security = site.lake(person).security
    row: dict[str, Any] = await asked(site, person, "incident", incident, lambda: security.incident(incident))
    return row


async def _change(site: Site, person: Person, ids: list[str], changed: Changed) -> list[dict[str, Any]]:
    security = site.lake(person).security
    status = changed.status or ""
    if not status and changed.assignee is None and not changed.note.strip():
        raise HTTPException(422, "cannot change the incident: nothing was given; give a status, an assignee or a note")
    muted_until = site.whole.later(changed.until) if status == "muted" else None
    done = Change(status, changed.note.strip(), muted_until, changed.assignee, person.name)
    try:
        return await site.changed(person, lambda: security.change_incidents(ids, done))
    except MissingError:
        raise unseen(person, "incident", ids[0]) from None


def _filter(site: Site, wanted: Wanted) -> casebook.Filter:
    return casebook.Filter(
        since=site.whole.moment(wanted.since),
        until=site.whole.moment(wanted.until or "now"),
        one_of={
            "status": wanted.status,
            "threat_level": wanted.threat,
            "severity_level": wanted.severity,
            "collection": wanted.collection,
        },
        globs={"actor": wanted.actor, "assignee": wanted.assignee},
        rule=wanted.rule,
        text=wanted.q,
    )
