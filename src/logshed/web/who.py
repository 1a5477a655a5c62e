"""Who asks: what a request shows of its sender, and what they may do."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection, Request
from starlette.status import WS_1008_POLICY_VIOLATION

from logshed.access.grants import covered
from logshed.access.roles import abilities, abilities_of, role
from logshed.access.sessions import csrf
from logshed.doors.callers import token_of
from logshed.doors.guard import EVERYTHING, NOBODY
from logshed.web import cookies, forms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from logshed.access import Grant, People, Tokens

ABILITIES = abilities()
"""All that somebody may do, in words."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
BACKGROUND = "x-logshed-background"
"""The header of a request that a page makes by itself; who sends it has no advantage of it."""
STREAM = "text/event-stream"
PASSWORD_PAGE = "/account/password"  # noqa: S105 - where it is changed


@dataclass(frozen=True, slots=True)
class Person:
    """One who asks.

    Attributes:
        name: What the audit trail calls them.
        role: Their role; ``token`` of a program.
        grant: Collections and verbs.
        abilities: Of ``ABILITIES``.
        via: How they showed it: ``open`` (a local door without accounts), ``token`` or ``session``.
        csrf: What a form of theirs has to send along; empty where no cookie lets them in.
        user: Id of the user; empty where there is none.
        session: Id of the session; empty where there is none.
        must_change: Whether they have to take another password before anything else.
    """

    name: str
    role: str
    grant: Grant
    abilities: frozenset[str]
    via: str
    csrf: str = ""
    user: str = ""
    session: str = ""
    must_change: bool = False

    def may(self, ability: str, collection: str | None = None) -> bool:
        """Whether they may do something, to a collection or at all."""
        seen = collection is None or self.grant.allows("read", collection)
        return seen and ability in self.abilities


LOCAL = Person("local", "admin", EVERYTHING, frozenset(ABILITIES), "open")
"""Whoever is on this machine, where nobody else can come and no accounts are asked for."""


class Who:
    """Tells who asks.

    Args:
        tokens: The tokens, or None: whoever is on this machine may do everything.
        people: Users and their sessions; needed with tokens.
        secure: Whether it is reached by TLS alone.
        first: Is told of a token that is used for the first time.
    """

    def __init__(
        self,
        tokens: Tokens | None,
        people: People,
        *,
        secure: bool = False,
        first: Callable[[Person], Awaitable[None]] | None = None,
    ) -> None:
        self.open = tokens is None
        self._tokens, self._people, self._secure, self._first = tokens, people, secure, first

    async def asks(self, request: HTTPConnection, *, again: bool = False) -> Person | None:
        """Who sent a request; None of a stranger.

        What stands in the header ``Authorization`` counts alone: a wrong token is not made good by a cookie.

        Args:
            request: The request.
            again: Whether it was answered before, and is looked at again since its answer takes long.

        Raises:
            AccessError: The tokens or the accounts cannot be read.
        """
        if self._tokens is None:
            return LOCAL
        if (shown := request.headers.get("authorization")) is not None:
            return await self._of_token(self._tokens, token_of(shown))
        secret = request.cookies.get(cookies.name(secure=self._secure), "")
        active = not (again or _by_itself(request))
        check = self._people.sessions.check
        found = await run_in_threadpool(lambda: check(secret, active=active)) if secret else None
        if found is None:
            return None
        session, user = found
        may = role(user.role).abilities
        return Person(
            user.name, user.role, user.grant, may, "session", csrf(secret), user.id, session.id, user.must_change
        )

    async def _of_token(self, tokens: Tokens, token: str) -> Person | None:
        grant = await run_in_threadpool(tokens.check, token) if token else None
        if grant is None:
            return None
        may, name = abilities_of(grant), f"token {grant.token}"
        if grant.owner is not None:
            owner = await run_in_threadpool(self._people.accounts.by_id, grant.owner)
            if owner is None or owner.disabled is not None:
                return None
            own = owner.grant
            scopes = tuple(one for one in grant.scopes if covered(one, own.scopes))
            grant = grant._replace(scopes=scopes, verbs=grant.verbs & own.verbs)
            may, name = abilities_of(grant) & role(owner.role).abilities, f"{owner.name} ({name})"
        person = Person(name, "token", grant, may, "token")
        if grant.first and self._first is not None:
            await self._first(person)
        return person


def _by_itself(request: HTTPConnection) -> bool:
    """Whether a page asks without anybody who does something: by the clock, or for a stream, also after a cut."""
    streams = request.scope["type"] == "websocket" or request.headers.get("accept", "").startswith(STREAM)
    return streams or BACKGROUND in request.headers


class Needs:
    """A dependency of a route: who asks, if they may.

    Args:
        ability: What they need; None lets in all who are known.
        page: Whether a stranger is sent to the page where one signs in.
        myself: Whether it is for users who have signed in alone, about themselves; no token does.
        anyhow: Whether it is also for those who have to take another password first.
    """

    def __init__(self, ability: str | None, *, page: bool = False, myself: bool = False, anyhow: bool = False) -> None:
        if ability is not None and ability not in ABILITIES:
            raise ValueError(f"there is no ability {ability!r}")
        self.ability, self.page, self.myself, self.anyhow = ability, page, myself, anyhow

    async def __call__(self, request: HTTPConnection) -> Person:
        """The one who asks, by a request or a WebSocket.

        Raises:
            HTTPException: 401 for a stranger (303 from a page), 403 for one who may not, or whose form is not ours.
            WebSocketException: The same of a WebSocket.
        """
        try:
            return await self.person(request)
        except HTTPException as error:
            if request.scope["type"] != "websocket":
                raise
            raise WebSocketException(WS_1008_POLICY_VIOLATION, str(error.detail)) from None

    async def person(self, request: HTTPConnection) -> Person:
        """The same, for who tells a WebSocket by himself why it is refused.

        Raises:
            HTTPException: As above.
        """
        person: Person | None = await request.app.state.site.who.asks(request)
        safe = not isinstance(request, Request) or request.method in SAFE
        if person is None and self.page and safe:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise HTTPException(HTTPStatus.SEE_OTHER, "sign in", {"Location": f"/sign-in?next={quote(asked)}"})
        if person is None:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "sign in, or send a token", NOBODY)
        self._check(person)
        if person.via == "session" and isinstance(request, Request) and not safe:
            await _own_form(request, person)
        return person

    def _check(self, person: Person) -> None:
        if self.myself and person.via != "session":
            raise HTTPException(HTTPStatus.FORBIDDEN, "not allowed: it is for users who have signed in")
        must = person.must_change and not self.anyhow
        if must and self.page:
            raise HTTPException(HTTPStatus.SEE_OTHER, "take another password", {"Location": PASSWORD_PAGE})
        if must:
            raise HTTPException(HTTPStatus.FORBIDDEN, "not allowed: take another password first")
        if self.ability is not None and not person.may(self.ability):
            raise HTTPException(HTTPStatus.FORBIDDEN, f"not allowed: it needs the ability {self.ability!r}")


async def _own_form(request: Request, person: Person) -> None:
    """Refuse what another site made a browser send with its cookie."""
    shown = request.headers.get("x-csrf-token")
    if shown is None:
        shown = (await forms.fields(request)).get("csrf", "")
    if not hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), person.csrf.encode()):
        raise HTTPException(HTTPStatus.FORBIDDEN, "not allowed: the form is too old; load the page again")


def needs(ability: str) -> Any:
    """What a route of the API depends on, for its parameter ``person``."""
    return Depends(Needs(ability))


def sees(ability: str) -> Any:
    """The same of a page, where strangers are sent to sign in."""
    return Depends(Needs(ability, page=True))


def known(*, page: bool = False) -> Any:
    """What a route depends on that is for all who are let in."""
    return Depends(Needs(None, page=page))


def myself(*, page: bool = False, anyhow: bool = False) -> Any:
    """What a route or a page depends on that is for users who have signed in, about themselves.

    Args:
        page: Whether a stranger is sent to the page where one signs in.
        anyhow: Whether it is also for those who have to take another password first.
    """
    return Depends(Needs(None, page=page, myself=True, anyhow=anyhow))
