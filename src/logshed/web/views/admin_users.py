"""The pages of users and tokens, for administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from logshed.access.grants import VERBS
from logshed.access.roles import abilities, roles
from logshed.errors import UsageError
from logshed.sizes import parsed
from logshed.web import forms
from logshed.web.rendering import Page, page
from logshed.web.site import Shared, Site
from logshed.web.telling import of_session, of_token, of_user
from logshed.web.who import Person, sees

PAGES = (
    Page("admin", "Admin", "/admin/users", "admin", 90, "administer"),
    Page("admin.users", "Users", "/admin/users", "admin", 91, "administer"),
    Page("admin.tokens", "Tokens", "/admin/tokens", "admin", 92, "administer"),
)
SPANS = {"30d": "30 days", "90d": "90 days", "365d": "a year", "": "for ever"}
router = APIRouter(include_in_schema=False)
Admin = Annotated[Person, sees("administer")]


@router.get("/admin/users")
async def users(request: Request, site: Shared, person: Admin) -> Response:
    """All users."""
    return await _users(request, site, person)


@router.post("/admin/users")
async def add(request: Request, site: Shared, person: Admin) -> Response:
    """Add a user; the page tells their link, this once."""
    given = await forms.fields(request)
    scopes = given.get("collections", "").split()
    try:
        user, secret = await site.managing.invite(
            person, given.get("name", "").strip(), given.get("role", ""), scopes, given.get("email", "").strip()
        )
    except UsageError as error:
        return await _users(request, site, person, status=422, failure=str(error), given=given)
    return await _user(request, site, person, user.name, link=site.link(request, secret))


@router.get("/admin/users/{name}")
async def user(request: Request, site: Shared, person: Admin, name: str) -> Response:
    """A user."""
    return await _user(request, site, person, name)


@router.post("/admin/users/{name}")
async def change(request: Request, site: Shared, person: Admin, name: str) -> Response:
    """Change a user."""
    given = await forms.fields(request)
    await site.managing.find(name)
    asked: dict[str, Any] = {key: given[key].strip() for key in ("role", "email") if key in given}
    if "collections" in given:
        asked["collections"] = given["collections"].split()
    asked |= {key: given[key] == "yes" for key in ("disabled", "must_change") if key in given}
    try:
        await site.managing.change(person, name, asked)
    except UsageError as error:
        return await _user(request, site, person, name, status=422, failure=str(error))
    return RedirectResponse(request.url.path, 303)


@router.post("/admin/users/{name}/link")
async def link(request: Request, site: Shared, person: Admin, name: str) -> Response:
    """Make a link by which a user takes a new password; the page tells it, this once."""
    await site.managing.find(name)
    try:
        secret = await site.managing.link(person, name)
    except UsageError as error:
        return await _user(request, site, person, name, status=422, failure=str(error))
    return await _user(request, site, person, name, link=site.link(request, secret))


@router.post("/admin/users/{name}/sessions/end")
async def end_sessions(request: Request, site: Shared, person: Admin, name: str) -> Response:
    """End a session of a user, or all."""
    which = (await forms.fields(request)).get("session") or None
    await site.managing.end_sessions(person, await site.managing.find(name), which)
    return RedirectResponse(f"/admin/users/{name}", 303)


@router.get("/admin/tokens")
async def tokens(request: Request, site: Shared, person: Admin) -> Response:
    """All tokens."""
    return await _tokens(request, site, person)


@router.post("/admin/tokens")
async def make_token(request: Request, site: Shared, person: Admin) -> Response:
    """Make a token that belongs to no user; the page tells it, this once."""
    given = await forms.pairs(request)
    of = dict(given)
    try:
        span = forms.span(of["for"]) if of.get("for") else None
        rate = parsed(of["rate"].strip()) if of.get("rate", "").strip() else None
        made, token = await run_in_threadpool(
            lambda: site.the_tokens().create(
                of.get("collections", "").split(),
                [value for key, value in given if key == "verb"],
                name=of.get("name", "")[:100],
                seconds=span,
                rate=rate,
            )
        )
    except (UsageError, ValueError) as error:
        return await _tokens(request, site, person, status=422, failure=str(error))
    await site.note_token(person, "token create", token)
    return await _tokens(request, site, person, made=made)


@router.post("/admin/tokens/revoke")
async def revoke_token(request: Request, site: Shared, person: Admin) -> Response:
    """Let a token open nothing from now on."""
    which = (await forms.fields(request)).get("token", "")
    if which not in {one.id for one in await run_in_threadpool(site.the_tokens().list)}:
        raise HTTPException(404, "there is no such token")
    await site.note_token(person, "token revoke", await run_in_threadpool(site.the_tokens().revoke, which))
    return RedirectResponse("/admin/tokens", 303)


async def _users(request: Request, site: Site, person: Person, *, status: int = 200, **told: Any) -> Response:
    found = await run_in_threadpool(site.people.accounts.list)
    shown = {"failure": "", "given": {}} | told
    return page(
        request,
        person,
        "admin_users.html",
        "admin.users",
        "Users",
        status=status,
        users=[of_user(one) for one in found],
        roles=roles(),
        abilities=abilities(),
        **shown,
    )


async def _user(request: Request, site: Site, person: Person, name: str, *, status: int = 200, **told: Any) -> Response:
    found = await site.managing.find(name)
    sessions = await run_in_threadpool(site.people.sessions.of, found.id)
    tokens = [one for one in await run_in_threadpool(site.the_tokens().list) if one.owner == found.id]
    return page(
        request,
        person,
        "admin_user.html",
        "admin.users",
        found.name,
        status=status,
        user=of_user(found),
        roles=roles(),
        sessions=[of_session(one, own=person.session) for one in sessions],
        tokens=[of_token(one) for one in tokens],
        **({"failure": "", "link": ""} | told),
    )


async def _tokens(request: Request, site: Site, person: Person, *, status: int = 200, **told: Any) -> Response:
    names = {one.id: one.name for one in await run_in_threadpool(site.people.accounts.list)}
    found = await run_in_threadpool(site.the_tokens().list)
    return page(
        request,
        person,
        "admin_tokens.html",
        "admin.tokens",
        "Tokens",
        status=status,
        tokens=[of_token(one, names.get(one.owner or "")) for one in reversed(found)],
        verbs=VERBS,
        spans=SPANS,
        **({"failure": "", "made": ""} | told),
    )
