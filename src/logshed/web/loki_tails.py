"""Loki's live tails: lines that a query selects as they arrive, told by a WebSocket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from logshed.pipeline.loki_answers import LokiAnswers
from logshed.web.still import Still

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.websockets import WebSocket

    from logshed.sql.result import Result
    from logshed.web.site import Site
    from logshed.web.tailing import Message, Reader
    from logshed.web.who import Person

POLL_SECONDS = 2.0
"""How often it is looked whether who follows still may."""


class LogQL(NamedTuple):
    """Lines that somebody follows by a query.

    Attributes:
        scopes: What they may see.
        text: The query.
        apart: Whether metadata is to stand with each line.
    """

    scopes: tuple[str, ...]
    text: str
    apart: bool

    def told(self, query: Callable[[str], Result], fresh: Sequence[str]) -> str | None:
        """The lines of some batches as Loki tells them; None where there are none."""
        found = LokiAnswers(query).arrived(self.text, fresh, apart=self.apart)
        return None if found is None else orjson.dumps(found).decode()


async def follow(socket: WebSocket, site: Site, person: Person, reader: Reader, first: dict[str, Any]) -> None:
    """Send what there is, and what comes, until the client goes, may no longer read, or the server ends."""
    gone, ending = asyncio.create_task(_gone(socket)), asyncio.create_task(site.ending.wait())
    still = Still(site.who, socket, person, seconds=POLL_SECONDS)
    try:
        await socket.send_text(orjson.dumps(first).decode())
        while not gone.done():
            message = await _next(reader, gone, ending)
            if ending.done():
                return await socket.close(1001, "the server ends")
            if reader.over.is_set():
                return await socket.close(1013, "too slow, or it cannot be answered; come again")
            if not await still.may():
                return await socket.close(1008, "no longer allowed")
            if message is not None:
                await socket.send_text(message.text)
    finally:
        gone.cancel()
        ending.cancel()
    return None


async def _gone(socket: WebSocket) -> None:
    """Read until the client closes; what it says is not heard."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _next(reader: Reader, *ends: asyncio.Task[Any]) -> Message | None:
    """What comes next; None where the time has come to look up, or it ends."""
    got = asyncio.create_task(reader.messages.get())
    try:
        await asyncio.wait({got, *ends}, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return got.result() if got.done() else None
    finally:
        got.cancel()
