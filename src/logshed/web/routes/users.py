"""Users, for administrators: add, change, invite again, and end their sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from logshed.access.roles import abilities, roles
from logshed.web.site import Shared
from logshed.web.telling import of_session, of_user
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1", tags=["users"])


class NewUser(BaseModel):
    """Somebody who may sign in from now on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "anna", "role": "analyst", "collections": ["shop-*"]}]},
    )

    name: str = Field(max_length=64, description="By which they sign in.")
    role: str = Field(max_length=64, description="A role of `GET /api/v1/roles`.")
    collections: list[str] = Field([], max_length=100, description="Globs on names of collections.")
    email: str | None = Field(None, max_length=256, description="Where to write to.")


class Change(BaseModel):
    """What is to be otherwise; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "viewer"}, {"disabled": True}]})

    role: str | None = Field(None, max_length=64)
    collections: list[str] | None = Field(None, max_length=100)
    email: str | None = Field(None, max_length=256, description="Empty takes it away.")
    disabled: bool | None = None
    must_change: bool | None = Field(None, description="Whether they have to take another password first.")


@router.get("/roles")
async def list_roles(person: Annotated[Person, needs("administer")]) -> dict[str, Any]:
    """The roles that there are, and what they allow."""
    del person
    told = [{**one._asdict(), "abilities": sorted(one.abilities)} for one in roles().values()]
    return {"items": told, "next": None, "abilities": abilities()}


@router.get("/users")
async def list_users(site: Shared, person: Annotated[Person, needs("administer")]) -> dict[str, Any]:
    """All users by name."""
    del person
    return {"items": [of_user(one) for one in await run_in_threadpool(site.people.accounts.list)], "next": None}


@router.post("/users", status_code=201)
async def add(
    request: Request, site: Shared, person: Annotated[Person, needs("administer")], given: NewUser
) -> dict[str, Any]:
    """Add a user; the answer has the link by which they take a password, this once."""
    user, secret = await site.managing.invite(person, given.name, given.role, given.collections, given.email)
    return {**of_user(user), "link": site.link(request, secret)}


@router.get("/users/{name}")
async def one(site: Shared, person: Annotated[Person, needs("administer")], name: str) -> dict[str, Any]:
    """A user."""
    del person
    return of_user(await site.managing.find(name))


@router.patch("/users/{name}")
async def change(
    site: Shared, person: Annotated[Person, needs("administer")], name: str, given: Change
) -> dict[str, Any]:
    """Change a user; what they then may not any more, their sessions and tokens do not let them either."""
    await site.managing.find(name)
    return of_user(await site.managing.change(person, name, given.model_dump(exclude_unset=True)))


@router.post("/users/{name}/link", status_code=201)
async def link(
    request: Request, site: Shared, person: Annotated[Person, needs("administer")], name: str
) -> dict[str, Any]:
    """A link by which a user takes a new password; older ones open nothing."""
    await site.managing.find(name)
    return {"link": site.link(request, await site.managing.link(person, name))}


@router.get("/users/{name}/sessions")
async def sessions(site: Shared, person: Annotated[Person, needs("administer")], name: str) -> dict[str, Any]:
    """A user's sessions, the newest first."""
    user = await site.managing.find(name)
    found = await run_in_threadpool(site.people.sessions.of, user.id)
    return {"items": [of_session(one, own=person.session) for one in found], "next": None}


@router.delete("/users/{name}/sessions")
async def end_sessions(site: Shared, person: Annotated[Person, needs("administer")], name: str) -> dict[str, Any]:
    """End all sessions of a user."""
    return {"ended": await site.managing.end_sessions(person, await site.managing.find(name))}


@router.delete("/users/{name}/sessions/{session}", status_code=204)
async def end_session(site: Shared, person: Annotated[Person, needs("administer")], name: str, session: str) -> None:
    """End a session of a user."""
    if not await site.managing.end_sessions(person, await site.managing.find(name), session):
        raise HTTPException(404, "there is no such session")
