"""Saved searches: one's own, and those that are shared with all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.pipeline.saved_searches import LONGEST_NAME, check
from logshed.pipeline.typed import safe as safe_texts
from logshed.web.answers import json_of
from logshed.web.site import Shared
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.pipeline.saved_searches import Saved
    from logshed.web.site import Site

router = APIRouter(prefix="/api/v1/saved", tags=["search"])
Reader = Annotated[Person, needs("read")]


class Wanted(BaseModel):
    """A search as it is to be saved."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, examples=["Slow payments"])
    view: dict[str, str] = Field(
        examples=[{"q": "service:pay* duration>1s", "since": "24h", "columns": "service,path"}]
    )
    shared: bool = False


@router.get("")
async def saved(site: Shared, person: Reader) -> Response:
    """Your saved searches and those that others share."""
    found = await asyncio.to_thread(site.searches.seen_by, person.name)
    return json_of({"items": [_told(one, person) for one in found], "next": None})


@router.post("", status_code=201)
async def save(site: Shared, person: Reader, wanted: Wanted) -> Response:
    """Save a search; to share one needs the ability `triage`."""
    _may_share(person, wanted)
    name, view = await asyncio.to_thread(_sound, site, wanted)
    found = await asyncio.to_thread(site.searches.save, person.name, name, view, shared=wanted.shared)
    await site.audit(person, "save_search", found.id, details={"name": wanted.name, "shared": wanted.shared})
    return json_of(_told(found, person), 201)


@router.put("/{saved_id}")
async def change(site: Shared, person: Reader, saved_id: str, wanted: Wanted) -> Response:
    """Change a search of yours."""
    _may_share(person, wanted)
    name, view = await asyncio.to_thread(_sound, site, wanted)
    found = await asyncio.to_thread(site.searches.change, person.name, saved_id, name, view, shared=wanted.shared)
    if found is None:
        raise HTTPException(404, "there is no such search of yours")
    await site.audit(person, "save_search", saved_id, details={"name": wanted.name, "shared": wanted.shared})
    return json_of(_told(found, person))


@router.delete("/{saved_id}", status_code=204)
async def delete(site: Shared, person: Reader, saved_id: str) -> Response:
    """Delete a search of yours."""
    if not await asyncio.to_thread(site.searches.delete, person.name, saved_id):
        raise HTTPException(404, "there is no such search of yours")
    await site.audit(person, "delete_search", saved_id)
    return Response(status_code=204)


def _may_share(person: Person, wanted: Wanted) -> None:
    if wanted.shared and not person.may("triage"):
        raise HTTPException(403, "not allowed: to share a search needs the ability 'triage'")


def _sound(site: Site, wanted: Wanted) -> tuple[str, dict[str, str]]:
    """What may rest: what the lake's policy forbids is in none of its records, so that no search for it finds less."""
    check(wanted.name, wanted.view)  # before all of it is looked through
    safe = safe_texts(site.settings)
    return safe(wanted.name), {safe(name): safe(value) for name, value in wanted.view.items()}


def _told(one: Saved, person: Person) -> dict[str, Any]:
    return one._asdict() | {"own": one.owner == person.name}
