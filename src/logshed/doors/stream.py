"""Sends a feed to one who watches, as server-sent events, until they go, are too slow, or may no longer see it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from logshed.doors.feed import Feed, Told, Watcher

BEAT_SECONDS = 5.0
"""This often a watcher is told that the feed lives, and is asked whether the token still does."""
AGAIN_MS = 2000
"""Milliseconds after which a browser that was cut off comes again."""


class Stream(Response):
    """Server-sent events: ``hello``, ``tick``, ``beat``, ``gap`` (ask for the totals again), ``out`` (not allowed now).

    Args:
        feed: What is sent.
        watcher: To whom.
        allowed: Whether they may still see it.
    """

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, watcher: Watcher, allowed: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed, self._watcher, self._allowed = feed, watcher, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send until it is over: whoever does not read is cut off, since a send to them would wait for ever."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        ways = [
            asyncio.ensure_future(self._send(send)),
            asyncio.ensure_future(_gone(receive)),
            asyncio.ensure_future(self._watcher.over.wait()),
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            self._feed.leave(self._watcher)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        watcher = self._watcher
        await self._put(send, f"retry: {AGAIN_MS}\n".encode() + self._event("hello"))
        if watcher.gap:
            await self._put(send, self._event("gap"))
        for tick in watcher.missed:
            await self._put(send, self._told(tick))
        beat = time.monotonic() + BEAT_SECONDS
        while True:
            try:
                tick = await asyncio.wait_for(watcher.ticks.get(), max(0.0, beat - time.monotonic()))
                await self._put(send, self._told(tick))
            except TimeoutError:
                pass  # the time of a beat has come
            if time.monotonic() >= beat:
                if not await self._allowed():
                    break
                await self._put(send, self._event("beat"))
                beat = time.monotonic() + BEAT_SECONDS
        await self._put(send, self._event("out"))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _put(self, send: Send, message: bytes) -> None:
        if message:
            await send({"type": "http.response.body", "body": message, "more_body": True})

    def _told(self, tick: Told) -> bytes:
        told = tick.told(self._watcher.sees)
        return b"id: %s-%d\nevent: tick\ndata: %s\n\n" % (self._feed.run.encode(), tick.number, told) if told else b""

    def _event(self, name: str) -> bytes:
        told = {"state": self._feed.state, "number": self._feed.number, "at": time.time()}
        return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(told))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
