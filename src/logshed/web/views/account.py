"""The page of oneself: password, sessions, tokens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from logshed.access.grants import VERBS
from logshed.access.roles import abilities, role
from logshed.errors import OverloadedError, UsageError
from logshed.pipeline import people as verbs
from logshed.web import forms
from logshed.web.rendering import page
from logshed.web.site import Shared, Site
from logshed.web.telling import of_session, of_token
from logshed.web.who import Person, known, myself

SPANS = {"7d": "a week", "30d": "30 days", "90d": "90 days", "365d": "a year"}
router = APIRouter(include_in_schema=False)
Myself = Annotated[Person, myself(page=True)]
Anyhow = Annotated[Person, myself(page=True, anyhow=True)]


@router.get("/account")
async def account(request: Request, site: Shared, person: Annotated[Person, known(page=True)]) -> Response:
    """Who one is here, and what one may do."""
    return await _page(request, site, person)


@router.get("/account/password")
async def password_form(request: Request, person: Anyhow) -> Response:
    """The form of another password."""
    return page(request, person, "password.html", "account", "Password", failure="")


@router.post("/account/password")
async def password(request: Request, site: Shared, person: Anyhow) -> Response:
    """Take another password; one's other sessions end."""
    given = await forms.fields(request)
    try:
        await site.signing.new_password(person, given.get("old", ""), forms.password(given, "new"))
    except (UsageError, OverloadedError) as error:
        return page(request, person, "password.html", "account", "Password", status=422, failure=str(error))
    return RedirectResponse("/account", 303)


@router.post("/account/sessions/end")
async def end_sessions(request: Request, site: Shared, person: Myself) -> Response:
    """End a session of one's own, or all but this one."""
    which = (await forms.fields(request)).get("session", "")
    await site.audit(person, "session end", person.name, details={"which": which[:64] or "all others"})
    if which:
        await run_in_threadpool(site.people.sessions.end, person.user, which)
    else:
        await run_in_threadpool(lambda: site.people.sessions.end_all(person.user, but=person.session))
    return RedirectResponse("/account", 303)


@router.post("/account/tokens")
async def make_token(request: Request, site: Shared, person: Myself) -> Response:
    """Make a token of one's own; the page tells it, this once."""
    given = await forms.pairs(request)
    of = dict(given)
    try:
        user = await run_in_threadpool(site.people.accounts.get, person.name)
        span = forms.span(of.get("for", "90d"))
        made, token = await run_in_threadpool(
            lambda: verbs.own_token(
                site.the_tokens(),
                user,
                of.get("collections", "").split(),
                [value for key, value in given if key == "verb"],
                name=of.get("name", "")[:100],
                seconds=span,
            )
        )
    except UsageError as error:
        return await _page(request, site, person, status=422, failure=str(error))
    await site.note_token(person, "token create", token)
    return await _page(request, site, person, made=made)


@router.post("/account/tokens/revoke")
async def revoke_token(request: Request, site: Shared, person: Myself) -> Response:
    """Let a token of one's own open nothing from now on."""
    which = (await forms.fields(request)).get("token", "")
    own = [one.id for one in await run_in_threadpool(site.the_tokens().list) if one.owner == person.user]
    if which not in own:
        raise HTTPException(404, "you have no such token")
    await site.note_token(person, "token revoke", await run_in_threadpool(site.the_tokens().revoke, which))
    return RedirectResponse("/account", 303)


async def _page(
    request: Request, site: Site, person: Person, *, status: int = 200, made: str = "", failure: str = ""
) -> Response:
    told: dict[str, Any] = {"user": None, "sessions": [], "tokens": [], "verbs": [], "made": made, "failure": failure}
    if person.user:
        told["user"] = await run_in_threadpool(site.people.accounts.get, person.name)
        found = await run_in_threadpool(site.people.sessions.of, person.user)
        tokens = await run_in_threadpool(site.the_tokens().list)
        told["sessions"] = [of_session(one, own=person.session) for one in found]
        told["tokens"] = [of_token(one) for one in reversed(tokens) if one.owner == person.user]
        told["verbs"] = [(name, text) for name, text in VERBS.items() if name in person.grant.verbs]
        told["role"] = role(person.role)
    may = [(name, text) for name, text in abilities().items() if name in person.abilities]
    return page(request, person, "account.html", "account", "Account", status=status, may=may, spans=SPANS, **told)
