"""Sources: what arrives, what no format took, which fell silent, and the ledger's sums."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException

from logshed.pipeline import standings
from logshed.web.paging import Paged
from logshed.web.receivers import Receivers, receivers
from logshed.web.site import Shared
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/sources", tags=["sources"])
Reader = Annotated[Person, needs("read")]
Since = Annotated[str, Query(max_length=64, description="`24h`, `7d`, a date, `all`.", examples=["7d"])]
Collection = Annotated[str | None, Query(max_length=1024, description="Only of this one.")]
MOST_GAPS = 200


@router.get("")
async def list_sources(
    site: Shared,
    person: Reader,
    paging: Paged,
    since: Since = "30d",
    collection: Collection = None,
    q: Annotated[str | None, Query(max_length=200, description="Only sources with this in their name.")] = None,
) -> dict[str, Any]:
    """What arrived since then: each source with its records, rejects, newest record, rate and delay."""
    _check(person, collection)
    lake = site.lake(person)
    found = await site.pool.run(
        person, lambda: lake.sources(since, collection=collection, words=q or None, **paging.wanted)
    )
    return paging.page(found)


@router.get("/rejects")
async def list_rejects(
    site: Shared, person: Reader, paging: Paged, since: Since = "all", collection: Collection = None
) -> dict[str, Any]:
    """What no format took, by source and reason, with the newest records of each."""
    _check(person, collection)
    lake = site.lake(person)
    found = await site.pool.run(person, lambda: lake.rejected(since, collection=collection, **paging.wanted))
    return paging.page(found)


@router.get("/gaps")
async def list_gaps(site: Shared, person: Reader, since: Since = "7d", collection: Collection = None) -> dict[str, Any]:
    """The longest silence of each source, and for how long it has been silent now."""
    _check(person, collection)
    lake = site.lake(person)

    def ask() -> list[dict[str, Any]]:
        with lake.run("log_gaps", since=since, collection=collection, limit=MOST_GAPS) as result:
            rows: list[dict[str, Any]] = result.pl().to_dicts()
        return rows

    return {"items": await site.pool.run(person, ask), "next": None}


@router.get("/ledger")
async def ledger(site: Shared, person: Reader) -> dict[str, Any]:
    """Lines read, stored, rejected and dropped, of all sources and of each; for those who may see all collections."""
    if not person.grant.unlimited:
        raise HTTPException(403, "not allowed: the ledger is of all collections")
    return await site.pool.run(person, site.whole.ledger)


@router.get("/canaries")
async def canaries(site: Shared, person: Reader) -> dict[str, Any]:
    """Runs of `logshed canary` from this machine: what each sent, and what of it is in the lake now."""
    if not person.grant.unlimited:
        raise HTTPException(403, "not allowed: canaries are of all collections")
    return {"items": await site.pool.run(person, site.whole.canaries), "next": None}


@router.get("/receivers")
async def standing(site: Shared, person: Reader, asked: Annotated[Receivers, Depends(receivers)]) -> dict[str, Any]:
    """How receivers, collectors and what follows files stand: those of this machine, and of `[web] receivers`."""
    if not person.grant.unlimited:
        raise HTTPException(403, "not allowed: receivers are of all collections")
    lake = site.whole
    here, others = await asyncio.gather(asyncio.to_thread(standings.here, lake.settings.spool, lake.root), asked.look())
    return {"items": [*here["items"], *others], "next": None, "dead": here["dead"]}


def _check(person: Person, collection: str | None) -> None:
    if collection is not None and not person.may("read", collection):
        raise HTTPException(403, "not allowed")
