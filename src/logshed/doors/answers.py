"""Says to an HTTP client what became of its request, also where its body was not read to the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from logshed.doors.bodies import UNTOLD, declared, read
from logshed.receivers.model import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from logshed.doors.http_limits import HttpLimits
    from logshed.doors.shares import Held

SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""No page is made of an answer, whatever stands in it, and nobody keeps it."""
LINGER_SECONDS = 5.0
"""How long the rest of a body is thrown away, so that its sender gets to read the answer."""
SHORT = 65_536
"""Bytes of a body that is rather read to its end than a connection is ended for."""
TOO_SLOW = 408
_CLOSE = (b"connection", b"close")
_EMPTY = frozenset({204, 304})
_JSON = {"Content-Type": "application/json"}


class Exchange:
    """A request and its answer.

    Args:
        scope: The request.
        receive: Gives its body.
        send: Takes its answer.
        headers: The request's.
        limits: What the door bears.

    Attributes:
        length: Of the body as its headers tell it, ``UNTOLD`` where they do not.
        read: Whether the body has been read.
        status: What was answered; 0 as long as nothing was.
    """

    __slots__ = ("_limits", "_receive", "_send", "_waits", "length", "read", "scope", "status")

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str], limits: HttpLimits
    ) -> None:
        self.scope, self._receive, self._send, self._limits = scope, receive, send, limits
        self.length = declared(headers)
        self.status = 0
        self.read = self.length == 0
        self._waits = "100-continue" in headers.get("expect", "").lower()

    async def answer(self, reply: Reply) -> None:
        """Say it, and end the connection where the rest of a body stands in the way of the next request."""
        if not self.read and reply.status != TOO_SLOW:
            await self._read_short()
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        headers += SAFE
        if reply.status not in _EMPTY:
            headers.append((b"content-length", b"%d" % len(reply.body)))
        if not self.read:
            headers.append(_CLOSE)
        self.status = reply.status
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": reply.body, "more_body": not self.read})
        if not self.read:
            await self._throw_away(self._limits.request_bytes)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def body(self, held: Held) -> bytes:
        """The body, which is read once.

        Args:
            held: Room for it.

        Raises:
            BadRequestError: It is too long or too slow, or there is no room for it.
            GoneError: The client went away.
        """
        if self.read:
            return b""
        return await read(self._next, self.length, held, self._limits)

    async def hand_to(self, handle: ASGIApp) -> None:
        """Let another application answer."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            await self._send(message)

        await handle(self.scope, self._receive, noted)

    async def _next(self) -> Message:
        """More of the body; its last piece may be more than is taken, and then nothing comes behind it."""
        message = await self._receive()
        self.read = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def _read_short(self) -> None:
        """Read a short body to its end, unless its sender waits to be told to send it."""
        if not self._waits and UNTOLD < self.length <= SHORT:
            await self._throw_away(SHORT)

    async def _throw_away(self, most: int) -> None:
        """Read on to the end of the body, but not for ever."""
        got = 0
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while got <= most and not self.read:
                    got += len((await self._next()).get("body", b""))
        except TimeoutError:
            pass  # it is told without the rest


def told(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """What is said of an address that no protocol has."""
    return Reply(status, orjson.dumps({"error": text}), {**_JSON, **(headers or {})})
