"""The pages where one signs in and out: by a password, at an identity provider, by a link that opens once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from logshed.errors import AccessError, OverloadedError, UsageError
from logshed.web import cookies, forms
from logshed.web.local import local
from logshed.web.rendering import bare
from logshed.web.signing import WRONG
from logshed.web.site import Shared, Site
from logshed.web.who import Person, myself

if TYPE_CHECKING:
    from logshed.web.signing import Signed

CALLBACK = "/sign-in/oidc/callback"
FLOW_SECONDS = 600
LONGEST_NAME, LONGEST_PASSWORD = 256, 4096
router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def form(request: Request, site: Shared) -> Response:
    """The form; who has signed in already goes on."""
    wanted = local(request.query_params.get("next"))
    if await site.who.asks(request) is not None:
        return RedirectResponse(wanted, 303)
    return _form(site, wanted)


@router.post("/sign-in")
async def by_password(request: Request, site: Shared) -> Response:
    """Sign in by name and password."""
    _refuse_if_open(site)
    given = await forms.fields(request)
    wanted, name = local(given.get("next")), given.get("name", "").strip()[:LONGEST_NAME]
    try:
        signed = await site.signing.by_password(request, name, given.get("password", "")[:LONGEST_PASSWORD])
    except OverloadedError as error:
        return _form(site, wanted, name=name, failure=str(error), status=429)
    return _form(site, wanted, name=name, failure=WRONG, status=401) if signed is None else _in(site, signed, wanted)


@router.get("/sign-in/oidc")
async def away(request: Request, site: Shared) -> Response:
    """Go to the identity provider."""
    provider = site.signing.provider
    if provider is None:
        raise HTTPException(404, "there is no identity provider; [web.oidc] in logshed.toml names one")
    wanted = local(request.query_params.get("next"))
    try:
        site.signing.away(request)
        begun = await provider.begin(site.base(request) + CALLBACK, wanted)
    except OverloadedError as error:
        return _form(site, wanted, failure=str(error), status=429)
    except AccessError as error:
        return _form(site, wanted, failure=str(error), status=502)
    answer = RedirectResponse(begun.url, 303)
    key = cookies.flow_name(secure=site.web.secure)
    cookies.give(answer, key, begun.state, secure=site.web.secure, seconds=FLOW_SECONDS)
    return answer


@router.get(CALLBACK)
async def back(request: Request, site: Shared) -> Response:
    """Come back from the identity provider."""
    provider = site.signing.provider
    if provider is None:
        raise HTTPException(404, "there is no identity provider; [web.oidc] in logshed.toml names one")
    key = cookies.flow_name(secure=site.web.secure)
    try:
        found = await provider.end(
            site.base(request) + CALLBACK, dict(request.query_params), request.cookies.get(key, "")
        )
    except (AccessError, UsageError) as error:
        await site.signing.refused(request, str(error))
        answer: Response = _form(site, "/", failure=str(error), status=403)
    else:
        answer = _in(site, await site.signing.begin(request, found.user, "oidc", hint=found.hint), local(found.next))
    cookies.take(answer, key, secure=site.web.secure)
    return answer


@router.post("/sign-out")
async def out(request: Request, site: Shared, person: Annotated[Person, myself(anyhow=True)]) -> Response:
    """Sign out, here and at the identity provider by whom one came."""
    ended = await site.signing.out(person)
    there = None
    if ended is not None and ended.via == "oidc" and site.signing.provider is not None:
        try:
            there = await site.signing.provider.leave(ended.hint, f"{site.base(request)}/sign-in")
        except AccessError:
            there = None  # it does not answer: here one has signed out
    answer: Response = RedirectResponse("/sign-in", 303)
    if there is not None:  # a form may lead to pages of this site alone, so the page leads on
        answer = bare("signed_out.html", title="Signed out", there=there, provider=site.signing.provider)
    cookies.take(answer, cookies.name(secure=site.web.secure), secure=site.web.secure)
    return answer


@router.get("/link/{secret}")
async def link(site: Shared, secret: str) -> Response:
    """The form of a link that opens once."""
    _refuse_if_open(site)
    found = await run_in_threadpool(site.people.links.look, secret)
    if found is None:
        return bare("link.html", 404, title="This link opens nothing", found=None, name="", failure="")
    user = await run_in_threadpool(site.people.accounts.by_id, found.user) if found.user else None
    return bare("link.html", title="Take a password", found=found, name=user.name if user else "", failure="")


@router.post("/link/{secret}")
async def open_link(request: Request, site: Shared, secret: str) -> Response:
    """Take a password by it, and sign in."""
    _refuse_if_open(site)
    given = await forms.fields(request)
    name = given.get("name", "").strip()[:LONGEST_NAME]
    try:
        taken = forms.password(given, "password")
        signed = await site.signing.by_link(request, secret, taken[:LONGEST_PASSWORD], name)
    except (UsageError, OverloadedError) as error:
        found = await run_in_threadpool(site.people.links.look, secret)
        return bare("link.html", 422, title="Take a password", found=found, name=name, failure=str(error))
    return _in(site, signed, "/")


def _form(site: Site, wanted: str, *, name: str = "", failure: str = "", status: int = 200) -> Response:
    return bare(
        "sign_in.html",
        status,
        title="Sign in",
        next=wanted,
        name=name,
        failure=failure,
        passwords=site.web.passwords,
        provider=site.signing.provider,
    )


def _in(site: Site, signed: Signed, wanted: str) -> Response:
    answer = RedirectResponse("/account/password" if signed.user.must_change else wanted, 303)
    cookies.give(answer, cookies.name(secure=site.web.secure), signed.secret, secure=site.web.secure)
    return answer


def _refuse_if_open(site: Site) -> None:
    if site.who.open:
        raise HTTPException(409, "there are no accounts here: whoever is on this machine is let in")
