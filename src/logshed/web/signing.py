"""Lets people sign in and out, and writes down who did; what fails is told in the same words, whatever was wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

from starlette.concurrency import run_in_threadpool

from logshed.access import Grant
from logshed.access.passwords import AT_ONCE
from logshed.pipeline import people as verbs
from logshed.web.attempts import Attempts
from logshed.web.oidc import Provider
from logshed.web.who import Person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from starlette.requests import Request

    from logshed.access import People, Tokens
    from logshed.access.accounts import User
    from logshed.access.sessions import Session
    from logshed.web_settings import Web

WRONG = "cannot sign in: the name or the password is wrong; type them again"
STRANGER = Person("stranger", "", Grant("", (), frozenset()), frozenset(), "none")
LONGEST_TARGET = 64
"""Characters of a name that somebody typed, in the audit trail."""


class Audit(Protocol):
    """Writes down what somebody did."""

    async def __call__(
        self,
        person: Person,
        verb: str,
        target: str,
        outcome: str = "ok",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write it down."""


class Signed(NamedTuple):
    """Somebody has signed in: what opens their session, and who they are."""

    secret: str
    session: Session
    user: User


class Signing:
    """Lets people sign in.

    Args:
        people: Who may.
        tokens: All tokens; None where whoever is on this machine is let in.
        web: How.
        audit: Writes down what somebody did.

    Attributes:
        provider: The identity provider, where there is one.
    """

    def __init__(self, people: People, tokens: Tokens | None, web: Web, audit: Audit) -> None:
        self._people, self._web, self._audit = people, web, audit
        self._attempts = Attempts()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.provider = Provider(web.oidc, people, tokens) if web.oidc and tokens else None

    async def by_password(self, request: Request, name: str, password: str) -> Signed | None:
        """Sign somebody in by name and password.

        Returns:
            The session; None, whatever of it was wrong.

        Raises:
            OverloadedError: There were too many attempts under that name or from that address.
            LogshedError: The accounts or the audit trail cannot be used.
        """
        address = address_of(request)
        async with self._turns:  # so that those who wait are counted before they are looked at
            self._attempts.check(name, address)
            known = self._web.passwords
            user = await run_in_threadpool(self._people.accounts.verify, name, password) if known else None
            if user is None:
                self._attempts.wrong(name, address)
        if user is None:
            await self._audit(STRANGER, "sign in", name[:LONGEST_TARGET], "refused", {"address": address})
            return None
        return await self.begin(request, user, "password")

    async def by_link(self, request: Request, secret: str, password: str, name: str | None) -> Signed:
        """Let somebody take a password by a link, and sign them in.

        Raises:
            UsageError: The link is none, was used or is too old; the password or the name may be none.
            OverloadedError: Too many links from that address were none.
            LogshedError: The accounts or the audit trail cannot be used.
        """
        address = address_of(request)
        async with self._turns:
            self._attempts.check(None, address)
            if await run_in_threadpool(self._people.links.look, secret) is None:
                self._attempts.wrong(None, address)
            user = await run_in_threadpool(verbs.open_link, self._people, secret, password, name)
        return await self.begin(request, user, "link")

    def away(self, request: Request) -> None:
        """Count that somebody begins to sign in elsewhere.

        Raises:
            OverloadedError: They did too often.
        """
        self._attempts.away(address_of(request))

    async def begin(self, request: Request, user: User, via: str, *, hint: str | None = None) -> Signed:
        """Begin a session of somebody whose word was checked.

        Raises:
            LogshedError: The accounts or the audit trail cannot be used; then there is no session.
        """
        address, agent = address_of(request), request.headers.get("user-agent", "")
        made = person_of(user)
        await self._audit(made, "sign in", user.name, details={"via": via, "address": address})
        secret, session = await run_in_threadpool(
            lambda: self._people.sessions.begin(user.id, via=via, address=address, agent=agent, hint=hint)
        )
        return Signed(secret, session, user)

    async def out(self, person: Person) -> Session | None:
        """Sign somebody out.

        Returns:
            The session that ended.
        """
        found = await run_in_threadpool(self._people.sessions.of, person.user)
        await run_in_threadpool(self._people.sessions.end, person.user, person.session)
        await self._audit(person, "sign out", person.name)
        return next((one for one in found if one.id == person.session), None)

    async def new_password(self, person: Person, old: str, new: str) -> None:
        """Let somebody take another password; their other sessions end.

        Raises:
            UsageError: The old one is wrong, or the new one may be none.
            OverloadedError: The old one was wrong too often.
            LogshedError: The accounts or the audit trail cannot be used.
        """
        user = await run_in_threadpool(self._people.accounts.get, person.name)
        async with self._turns:
            self._attempts.check(user.name, person.session)
            if await run_in_threadpool(self._people.accounts.verify, user.name, old) is None:
                self._attempts.wrong(user.name, person.session)
            await run_in_threadpool(lambda: verbs.change_password(self._people, user, old, new, session=person.session))
        await self._audit(person, "password change", person.name)

    async def refused(self, request: Request, cause: str) -> None:
        """Write down that somebody was not let in by the identity provider."""
        await self._audit(
            STRANGER, "sign in", "oidc", "refused", {"address": address_of(request), "cause": cause[:500]}
        )


def person_of(user: User) -> Person:
    """A user as the audit trail names them."""
    return Person(user.name, user.role, user.grant, frozenset(), "session", user=user.id)


def address_of(request: Request) -> str:
    """From where a request comes."""
    return request.client.host if request.client else ""
