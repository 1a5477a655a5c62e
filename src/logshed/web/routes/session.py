"""Oneself: sign in and out, the own password, sessions and tokens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from logshed.access.sessions import csrf
from logshed.pipeline import people as verbs
from logshed.sizes import Span
from logshed.web import cookies
from logshed.web.signing import WRONG
from logshed.web.site import Shared
from logshed.web.telling import moment, of_session, of_token
from logshed.web.who import Person, known, myself

router = APIRouter(prefix="/api/v1/session", tags=["session"])


class SignIn(BaseModel):
    """A name and a password."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "anna", "password": "…"}]})

    name: str = Field(max_length=256)
    password: str = Field(max_length=4096)


class Passwords(BaseModel):
    """The password that is, and the one that is to be."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"old": "…", "new": "…"}]})

    old: str = Field(max_length=4096)
    new: str = Field(max_length=4096)


class OwnToken(BaseModel):
    """A token of one's own."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "grafana", "collections": ["shop"], "verbs": ["read"], "for": "90d"}]},
    )

    name: str = Field("", max_length=100, description="What it is for.")
    collections: list[str] = Field(min_length=1, max_length=100, description="Globs on names of collections.")
    verbs: list[str] = Field(["read"], min_length=1, max_length=3, description="Of `read`, `write`, `admin`.")
    span: Span = Field(
        90 * 86_400, alias="for", ge=60, le=366 * 86_400, description="How long it is good, such as `90d`."
    )


@router.get("")
async def who_am_i(person: Annotated[Person, known()]) -> dict[str, Any]:
    """Who one is here, and what one may do."""
    return {
        "name": person.name,
        "role": person.role,
        "via": person.via,
        "abilities": sorted(person.abilities),
        "collections": list(person.grant.scopes),
        "expires": moment(person.grant.expires),
        "must_change": person.must_change,
    }


@router.post("", status_code=201)
async def sign_in(request: Request, site: Shared, given: SignIn) -> Response:
    """Sign in by a password; the answer brings a cookie, and what changes have to send as `X-CSRF-Token`."""
    if site.who.open:
        raise HTTPException(409, "cannot sign in: there are no accounts here; whoever is on this machine is let in")
    signed = await site.signing.by_password(request, given.name, given.password)
    if signed is None:
        raise HTTPException(401, WRONG)
    answer = JSONResponse({"name": signed.user.name, "csrf": csrf(signed.secret)}, 201)
    cookies.give(answer, cookies.name(secure=site.web.secure), signed.secret, secure=site.web.secure)
    return answer


@router.delete("", status_code=204)
async def sign_out(site: Shared, person: Annotated[Person, myself(anyhow=True)]) -> Response:
    """Sign out."""
    await site.signing.out(person)
    answer = Response(status_code=204)
    cookies.take(answer, cookies.name(secure=site.web.secure), secure=site.web.secure)
    return answer


@router.post("/password", status_code=204)
async def password(site: Shared, person: Annotated[Person, myself(anyhow=True)], given: Passwords) -> None:
    """Take another password; one's other sessions end."""
    await site.signing.new_password(person, given.old, given.new)


@router.get("/sessions")
async def sessions(site: Shared, person: Annotated[Person, myself()]) -> dict[str, Any]:
    """One's sessions, the newest first."""
    found = await run_in_threadpool(site.people.sessions.of, person.user)
    return {"items": [of_session(one, own=person.session) for one in found], "next": None}


@router.delete("/sessions")
async def end_others(site: Shared, person: Annotated[Person, myself()]) -> dict[str, Any]:
    """End one's sessions, but for this one."""
    await site.audit(person, "session end", person.name, details={"which": "all others"})
    return {"ended": await run_in_threadpool(lambda: site.people.sessions.end_all(person.user, but=person.session))}


@router.delete("/sessions/{session}", status_code=204)
async def end(site: Shared, person: Annotated[Person, myself()], session: str) -> None:
    """End a session of one's own."""
    await site.audit(person, "session end", person.name, details={"which": session[:64]})
    if not await run_in_threadpool(site.people.sessions.end, person.user, session):
        raise HTTPException(404, "you have no such session")


@router.get("/tokens")
async def tokens(site: Shared, person: Annotated[Person, myself()]) -> dict[str, Any]:
    """One's tokens, the oldest first, never their secrets."""
    found = await run_in_threadpool(site.the_tokens().list)
    return {"items": [of_token(one) for one in found if one.owner == person.user], "next": None}


@router.post("/tokens", status_code=201)
async def make_token(site: Shared, person: Annotated[Person, myself()], given: OwnToken) -> dict[str, Any]:
    """Make a token that allows no more than one may do; the answer tells it, this once."""
    user = await run_in_threadpool(site.people.accounts.get, person.name)
    made, token = await run_in_threadpool(
        lambda: verbs.own_token(
            site.the_tokens(), user, given.collections, given.verbs, name=given.name, seconds=given.span
        )
    )
    await site.note_token(person, "token create", token)
    return {"token": made, **of_token(token)}


@router.delete("/tokens/{token}", status_code=204)
async def revoke_token(site: Shared, person: Annotated[Person, myself()], token: str) -> None:
    """Let a token of one's own open nothing from now on."""
    own = [one for one in await run_in_threadpool(site.the_tokens().list) if one.owner == person.user]
    if token not in {one.id for one in own}:
        raise HTTPException(404, "you have no such token")
    await site.note_token(person, "token revoke", await run_in_threadpool(site.the_tokens().revoke, token))
