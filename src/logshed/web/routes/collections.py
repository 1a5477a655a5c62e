"""Collections: what there is of each that the one who asks may see."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException

from logshed.access.owners import owners
from logshed.errors import LiveError, UsageError
from logshed.web.paging import Paged
from logshed.web.site import Shared, Site
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/collections", tags=["collections"])
Reader = Annotated[Person, needs("read")]


@router.get("")
async def list_collections(site: Shared, person: Reader, paging: Paged) -> dict[str, Any]:
    """Each collection with its records, requests, errors, rejects, redactions, times, services, formats and size."""
    found = await site.pool.run(person, site.lake(person).collections)
    page = paging.part(found)
    sizes = await site.pool.run(person, site.whole.resting)
    owned = await site.pool.run(person, _owners, site, [one["collection"] for one in page["items"]])
    page["items"] = [
        {**one, **_kept(site, one["collection"], sizes), "owners": owned[one["collection"]]} for one in page["items"]
    ]
    return page


@router.get("/{name:path}")
async def show_collection(
    site: Shared, person: Reader, name: Annotated[str, Path(max_length=1024, description="Its name.")]
) -> dict[str, Any]:
    """One collection: the same, and how it lies in time, its sources, services, places, and what the hot store has."""
    if not person.may("read", name):
        raise HTTPException(403, "not allowed")
    try:
        found = await site.pool.run(person, site.lake(person).collection, name)
    except UsageError as error:
        raise HTTPException(404, str(error)) from None
    sizes = await site.pool.run(person, site.whole.resting)
    owned = await site.pool.run(person, _owners, site, [name])
    live = await _hot(site, person, name)
    return {**found, **_kept(site, name, sizes), "owners": owned[name], "live": live}


def _kept(site: Site, name: str, sizes: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Bytes at rest, and days for which each layer is kept."""
    from logshed.pipeline.collections import kept  # noqa: PLC0415 - heavy

    return {"bytes": sizes.get(name, {}), "days": kept(site.settings.retain, name)}


def _owners(site: Site, names: list[str]) -> dict[str, list[str]]:
    return owners(site.people.accounts.list(), names)


async def _hot(site: Site, person: Person, name: str) -> dict[str, Any] | None:
    """Hits and lines of the hot store; None where it does not answer."""
    try:
        lines = (await site.watching.figures()).kept
        hits = await site.pool.run(person, (await site.watching.store()).known)
    except LiveError:
        return None
    return {"hits": dict(hits).get(name, 0), "lines": lines.get(name, 0)}
