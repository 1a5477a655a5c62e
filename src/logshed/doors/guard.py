"""Who asks: the token of a request, and what it allows."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from logshed.access import VERBS, Grant

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from logshed.access import Tokens

COOKIE = "logshed_token"
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYTHING = Grant("", ("*",), frozenset(VERBS))
NOBODY = {"WWW-Authenticate": "Bearer"}


class Guard:
    """Lets in by tokens; without tokens whoever is on this machine.

    Args:
        tokens: The tokens, or None, which is right on loopback alone.
    """

    def __init__(self, tokens: Tokens | None) -> None:
        self.tokens = tokens

    async def grant(self, request: HTTPConnection) -> Grant | None:
        """What the one who asks may do; None where no valid token was given.

        Raises:
            HTTPException: There are no tokens, and the request names another host than this one: the page of a
                stranger, whose name leads here, would read along.
        """
        if self.tokens is None:
            if urlsplit(f"//{request.headers.get('host', '')}").hostname not in LOCAL:
                raise HTTPException(421, "this door is for localhost")
            return EVERYTHING
        return await self.allowed(token_of(request))

    async def allowed(self, token: str) -> Grant | None:
        """What a token allows now."""
        return EVERYTHING if self.tokens is None else await run_in_threadpool(self.tokens.check, token)

    async def reader(self, request: HTTPConnection, collection: str | None = None) -> Grant:
        """What the one who asks may do, if they may read a collection.

        Raises:
            HTTPException: 401 without a valid token; 403 where it does not allow that, whether or not there is such a
                collection: the answer is the same.
        """
        found = await self.grant(request)
        if found is None:
            raise HTTPException(401, "a token is needed", NOBODY)
        if collection is not None and not found.allows("read", collection):
            raise HTTPException(403, "not allowed")
        return found


def token_of(request: HTTPConnection) -> str:
    """The token that a request shows: as bearer, as a password, or in the cookie of the form."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    match kind.lower():
        case "bearer":
            return token.strip()
        case "basic":
            return _password(token)
    return request.cookies.get(COOKIE, "")


def _password(encoded: str) -> str:
    try:
        return b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def from_here(request: HTTPConnection) -> bool:
    """Whether a form was sent by a page of this door; programs, which name no origin, may send it too."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
