"""Who pushes logs by HTTP: the token that a request shows, in each form that shippers have, and what it allows."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from logshed.doors.guard import EVERYTHING, LOCAL
from logshed.receivers.model import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.access import Grant, Tokens

KNOWN_SECONDS = 5.0
"""How long an answer of the tokens' file is good: a token that is revoked opens the door no longer than this."""
MOST_KNOWN = 4_096
"""Tokens, and addresses that sent wrong ones, that are kept in mind."""
WRONG_AT_ONCE, WRONG_SECONDS = 20, 1.0
"""Wrong tokens of one address that are looked up at once, and after how long one more is."""
LONGEST = 512
"""Characters of what may be a token."""
WRITE = "write"
K = TypeVar("K")
V = TypeVar("V")


def token_of(authorization: str) -> str:
    """The token in an Authorization header; empty where there is none.

    ``Bearer`` and Splunk's ``Splunk`` have it as it is; of Elasticsearch's ``ApiKey`` it is the key, with or without an
    id, and of ``Basic`` the password, whoever the user is.
    """
    scheme, _, rest = authorization.partition(" ")
    take = _SCHEMES.get(scheme.lower())
    token = take(rest.strip()) if take and len(rest) <= LONGEST else ""
    return token if len(token) <= LONGEST and token.isascii() else ""


def _key(text: str) -> str:
    return _after_colon(text) or text


def _after_colon(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


_SCHEMES: Mapping[str, Callable[[str], str]] = {"bearer": str, "splunk": str, "apikey": _key, "basic": _after_colon}


class Callers:
    """Lets in by tokens; without tokens whoever is on this machine, or everybody.

    Args:
        tokens: The tokens, or None.
        everybody: Without tokens: whether other hosts' names may stand in a request, as where others reach the door.
    """

    def __init__(self, tokens: Tokens | None, *, everybody: bool = False) -> None:
        self.tokens = tokens
        self._everybody = everybody
        self._known: dict[bytes, tuple[Grant | None, float]] = {}
        self._asking: dict[bytes, asyncio.Future[Grant | None]] = {}
        self._wrong: dict[str, tuple[float, float]] = {}
        self._asker = ThreadPoolExecutor(1, "tokens")

    def close(self) -> None:
        """Ask for no more tokens."""
        self._asker.shutdown(wait=False, cancel_futures=True)

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Refuse what a stranger's page made a browser send, where there are no tokens.

        Raises:
            BadRequestError: The request names another host than this one, or comes from a page of another.
        """
        if self.tokens is not None or self._everybody:
            return
        if _host(f"//{headers.get('host', '')}") not in LOCAL:
            raise BadRequestError(421, "this door is for localhost")
        origin = headers.get("origin")
        if origin is not None and _host(origin) not in LOCAL:
            raise BadRequestError(403, "pages of other hosts bring nothing in here")

    async def grant(self, authorization: str, peer: str) -> Grant:
        """What the one who asks may do.

        Raises:
            BadRequestError: 401 without a valid token, 403 with one that brings nothing in, 429 after many wrong ones.
            AccessError: The tokens cannot be read.
        """
        if self.tokens is None:
            return EVERYTHING
        token = token_of(authorization)
        found = await self._found(self.tokens, token, peer) if token else None
        if found is None or (found.expires is not None and found.expires <= time.time()):
            raise BadRequestError(401, "a valid token is needed")
        if WRITE not in found.verbs:
            raise BadRequestError(403, "this token does not bring lines in; make one with --verb write")
        return found

    async def _found(self, tokens: Tokens, token: str, peer: str) -> Grant | None:
        key = hashlib.sha256(token.encode()).digest()
        known = self._known.get(key)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        asking = self._asking.get(key)
        if asking is None:
            self._refuse_guesses(peer)
            asking = asyncio.get_running_loop().run_in_executor(self._asker, tokens.check, token)
            self._asking[key] = asking
            asking.add_done_callback(lambda _: self._asking.pop(key))
        found = await asyncio.shield(asking)
        _keep(self._known, key, (found, time.monotonic() + KNOWN_SECONDS))
        if found is None:
            self._note_wrong(peer)
        return found

    def _refuse_guesses(self, peer: str) -> None:
        level, since = self._wrong.get(peer, (0.0, 0.0))
        if level - (time.monotonic() - since) / WRONG_SECONDS >= WRONG_AT_ONCE:
            raise BadRequestError(429, "too many wrong tokens came from this address; come again later")

    def _note_wrong(self, peer: str) -> None:
        now = time.monotonic()
        level, since = self._wrong.get(peer, (0.0, now))
        _keep(self._wrong, peer, (max(0.0, level - (now - since) / WRONG_SECONDS) + 1, now))


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    """Keep in mind, and forget what was kept first where that is too much."""
    kept.pop(key, None)
    if len(kept) >= MOST_KNOWN:
        del kept[next(iter(kept))]
    kept[key] = value


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
