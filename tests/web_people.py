"""Users of each role, who have signed in already, for tests of the web application."""

from __future__ import annotations

import ssl
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import httpx

from logshed.access import People, Tokens
from logshed.access.roles import roles
from logshed.access.sessions import csrf

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.access.accounts import User

PASSWORD = "quiet river under stone"  # noqa: S105 - of tests
SECONDS = 20.0
ONCE = httpx.Limits(max_keepalive_connections=0)
"""Connections that nobody has to close."""
UNUSED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Of connections without TLS; else httpx reads the system's certificates for each."""
get, post, delete = (partial(one, verify=UNUSED, timeout=SECONDS) for one in (httpx.get, httpx.post, httpx.delete))


class Signed(NamedTuple):
    """A user with a session.

    Attributes:
        user: Who.
        secret: What opens the session.
    """

    user: User
    secret: str

    @property
    def csrf(self) -> str:
        """What changes have to send along."""
        return csrf(self.secret)


def team(folder: Path, *, scopes: tuple[str, ...] = ("web",)) -> tuple[People, Tokens, dict[str, Signed]]:
    """A user of each role with a session; they are named as their roles.

    Args:
        folder: Where accounts and tokens are kept.
        scopes: The collections of those who do not have all.
    """
    people, tokens = People(folder / "accounts.db"), Tokens(folder / "tokens.db")
    made = {}
    for name in roles():
        user = people.accounts.add(name, name, scopes)
        people.accounts.set_password(user.id, PASSWORD)
        made[name] = Signed(people.accounts.get(name), people.sessions.begin(user.id, via="password")[0])
    return people, tokens, made


def client(url: str, who: Signed | None = None, token: str | None = None) -> httpx.Client:
    """What asks in somebody's name; a stranger's unless one is given.

    Args:
        url: The server's address.
        who: Whose session is sent as a cookie, and whose forms these are.
        token: A token that is sent as bearer.
    """
    headers = {"X-CSRF-Token": who.csrf} if who else {}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    cookies = {"logshed_session": who.secret} if who else {}
    return httpx.Client(base_url=url, headers=headers, cookies=cookies, timeout=SECONDS, limits=ONCE, verify=UNUSED)
