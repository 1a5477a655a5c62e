"""All tokens, for administrators: make, list, revoke."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from logshed.sizes import Size, Span
from logshed.web.site import Shared
from logshed.web.telling import of_token
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])


class NewToken(BaseModel):
    """A token that stands by itself: it belongs to no user."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "shipper", "collections": ["shop"], "verbs": ["write"], "for": "365d", "rate": "5MB"}]
        },
    )

    name: str = Field("", max_length=100, description="What it is for.")
    collections: list[str] = Field(min_length=1, max_length=100, description="Globs on names of collections.")
    verbs: list[str] = Field(["read"], min_length=1, max_length=3, description="Of `read`, `write`, `admin`.")
    span: Span | None = Field(
        90 * 86_400, alias="for", ge=60, le=36_500 * 86_400, description="How long it is good; null is for ever."
    )
    rate: Size | None = Field(None, ge=1, le=2**40, description="Bytes a second that it may bring in, such as `5MB`.")


@router.get("")
async def list_tokens(site: Shared, person: Annotated[Person, needs("administer")]) -> dict[str, Any]:
    """All tokens, the oldest first, never their secrets."""
    del person
    names = {one.id: one.name for one in await run_in_threadpool(site.people.accounts.list)}
    found = await run_in_threadpool(site.the_tokens().list)
    return {"items": [of_token(one, names.get(one.owner or "")) for one in found], "next": None}


@router.post("", status_code=201)
async def make(site: Shared, person: Annotated[Person, needs("administer")], given: NewToken) -> dict[str, Any]:
    """Make a token; the answer tells it, this once."""
    made, token = await run_in_threadpool(
        lambda: site.the_tokens().create(
            given.collections, given.verbs, name=given.name, seconds=given.span, rate=given.rate
        )
    )
    await site.note_token(person, "token create", token)
    return {"token": made, **of_token(token)}


@router.delete("/{token}", status_code=204)
async def revoke(site: Shared, person: Annotated[Person, needs("administer")], token: str) -> None:
    """Let a token open nothing from now on."""
    if token not in {one.id for one in await run_in_threadpool(site.the_tokens().list)}:
        raise HTTPException(404, "there is no such token")
    await site.note_token(person, "token revoke", await run_in_threadpool(site.the_tokens().revoke, token))
