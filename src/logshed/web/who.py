"""Who asks: what a request shows of its sender, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from logshed.doors.guard import EVERYTHING, NOBODY, Guard

if TYPE_CHECKING:
    from logshed.access import Grant, Tokens

ABILITIES = {
    "read": "search, look at dashboards and export what is in the own collections",
    "sql": "ask in SQL",
    "triage": "work on incidents and share searches",
    "rules": "switch detection rules and try them",
    "collect": "ask running systems for their logs",
    "write": "bring logs in",
    "manage": "change the settings of the own collections",
    "administer": "change users, tokens, policies; read the audit trail and the costs",
}
"""All that somebody may do, in words."""


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
    """

    name: str
    role: str
    grant: Grant
    abilities: frozenset[str]
    via: str
    csrf: str = ""

    def may(self, ability: str, collection: str | None = None) -> bool:
        """Whether they may do something, to a collection or at all."""
        seen = collection is None or self.grant.allows("read", collection)
        return seen and ability in self.abilities


class Who:
    """Tells who asks.

    Args:
        tokens: The tokens, or None: whoever is on this machine may do everything.
    """

    def __init__(self, tokens: Tokens | None) -> None:
        self._guard = Guard(tokens)

    async def asks(self, request: Request) -> Person | None:
        """Who sent a request; None of a stranger."""
        grant = await self._guard.grant(request)
        if grant is None:
            return None
        if grant is EVERYTHING:
            return Person("local", "admin", grant, frozenset(ABILITIES), "open")
        return Person(f"token {grant.token}", "token", grant, of_token(grant), "token")


def of_token(grant: Grant) -> frozenset[str]:
    """What a token's verbs mean here."""
    found: set[str] = set()
    if "read" in grant.verbs:
        found |= {"read", "sql"}
    if "write" in grant.verbs:
        found |= {"write"}
    if "admin" in grant.verbs:
        found |= {"triage", "manage"} | ({"administer", "rules", "collect"} if grant.unlimited else set())
    return frozenset(found)


class Needs:
    """A dependency of a route: who asks, if they may.

    Attributes:
        ability: What they need.
        page: Whether a stranger is sent to the page where one signs in.
    """

    def __init__(self, ability: str, *, page: bool = False) -> None:
        if ability not in ABILITIES:
            raise ValueError(f"there is no ability {ability!r}")
        self.ability, self.page = ability, page

    async def __call__(self, request: Request) -> Person:
        """The one who asks.

        Raises:
            HTTPException: 401 for a stranger (303 from a page), 403 for one who may not.
        """
        person: Person | None = await request.app.state.site.who.asks(request)
        if person is None and self.page:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise HTTPException(303, "sign in", {"Location": f"/sign-in?next={quote(asked)}"})
        if person is None:
            raise HTTPException(401, "sign in, or send a token", NOBODY)
        if not person.may(self.ability):
            raise HTTPException(403, f"not allowed: it needs the ability {self.ability!r}")
        return person


def needs(ability: str) -> Any:
    """What a route of the API depends on, for its parameter ``person``."""
    return Depends(Needs(ability))


def sees(ability: str) -> Any:
    """The same of a page, where strangers are sent to sign in."""
    return Depends(Needs(ability, page=True))
