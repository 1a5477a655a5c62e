"""Mutes over the API: findings that nobody wants to be told of, by rule, actor and collection."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from logshed.access.grants import covered
from logshed.detection_settings import Suppress
from logshed.web.security import BLANK, unseen
from logshed.web.site import Shared
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/mutes", tags=["security"], responses=BLANK)
Reads = Annotated[Person, needs("read")]
Triages = Annotated[Person, needs("triage")]
EXAMPLE: Any = {"name": "our scanner", "rule": "web_*", "actor": "198.51.100.0/24", "until": "2027-01-31"}


class Muted(BaseModel):
    """What is muted: findings that fit all of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    name: str = Field(min_length=1, max_length=120, description="Under which what it keeps back is counted.")
    rule: str = Field("*", min_length=1, max_length=256, description="Glob on the rule's name.")
    actor: str = Field("*", min_length=1, max_length=256, description="Glob on the actor, or a network.")
    collection: str = Field("*", min_length=1, max_length=256, description="Glob on the collection.")
    until: date | None = Field(None, description="Last day on which it holds; for ever unless given.")
    reason: str = Field("", max_length=1_000)


@router.get("")
async def mutes(site: Shared, person: Reads) -> dict[str, Any]:
    """The mutes of your collections: of the settings, and of people."""
    kept = await site.pool.run(person, site.whole.security.mutes)
    every = [*((one, "settings") for one in site.settings.suppress), *((one, "people") for one in kept)]
    shown = [_about(one, origin) for one, origin in every if covered(one.collection, person.grant.scopes)]
    return {"items": shown, "next": None, "hidden": len(every) - len(shown)}


@router.post("", status_code=201)
async def mute(site: Shared, person: Triages, muted: Muted) -> dict[str, Any]:
    """Mute findings; one of the same name is replaced. What is found while it holds is counted and not kept."""
    if muted.rule == muted.actor == "*":
        raise HTTPException(422, "cannot mute everything: name a rule, an actor, or both")
    if not covered(muted.collection, person.grant.scopes):
        raise HTTPException(403, "not allowed: it is about collections that you may not see; name one of yours")
    kept = await site.pool.run(person, site.whole.security.mutes)
    before = next((one for one in kept if one.name == muted.name), None)
    if before is not None and not covered(before.collection, person.grant.scopes):
        raise HTTPException(403, "not allowed: another one's mute has this name; take another name")
    rule = Suppress(**muted.model_dump())
    return _about(await site.changed(person, lambda: site.whole.security.mute(rule, by=person.name)), "people")


@router.delete("/{name}", status_code=204)
async def end(site: Shared, person: Triages, name: str) -> None:
    """End a mute. One of the settings is ended there."""
    kept = await site.pool.run(person, site.whole.security.mutes)
    found = next((one for one in kept if one.name == name and covered(one.collection, person.grant.scopes)), None)
    if found is None:
        raise unseen(person, "mute", name)
    await site.changed(person, lambda: site.whole.security.unmute(name, by=person.name))


def _about(one: Suppress, origin: str) -> dict[str, Any]:
    over = one.until is not None and datetime.now(UTC).date() > one.until
    return {**one.model_dump(), "origin": origin, "over": over}
