"""A door for logs over HTTP in a thread, what it takes, and clients that push to it, politely or not."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING, Any

from logshed.doors.http_door import HttpDoor
from logshed.doors.http_limits import HttpLimits
from logshed.doors.receive_http import ReceiveApp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.receivers.model import Came

MADE: dict[str, Any] = {"listen": ("127.0.0.1:0",)}


@dataclass
class Store:
    """Keeps what came, or fails as it is told to, once it may."""

    came: list[Came] = field(default_factory=list)
    dead: list[tuple[str, str, str, str, bytes]] = field(default_factory=list)
    seen: list[tuple[str, int]] = field(default_factory=list)
    fails: Exception | None = None
    slow: threading.Event = field(default_factory=threading.Event)
    waiting: int = 0
    asked: list[Came] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slow.set()

    async def take(self, came: Came) -> None:
        """Keep it."""
        self.waiting += 1
        self.asked.append(came)
        if not self.slow.is_set():
            await asyncio.get_running_loop().run_in_executor(None, self.slow.wait, 120)
        self.waiting -= 1
        if self.fails is not None:
            raise self.fails
        self.came.append(came)

    async def bury(self, protocol: str, reason: str, peer: str, collection: str, data: bytes) -> None:
        """Keep what cannot be decoded."""
        self.dead.append((protocol, reason, peer, collection, data))

    def note(self, protocol: str, status: int, seconds: float) -> None:
        """Keep what was answered."""
        assert 0 < seconds < 60
        self.seen.append((protocol, status))

    @property
    def lines(self) -> list[bytes]:
        """All lines that came."""
        return [line for came in self.came for part in came.decoded.parts for line in part.lines.splitlines()]


@dataclass
class Client:
    """Who pushes to a port of this machine."""

    port: int

    def push(
        self, body: bytes = b"", path: str = "/v1/raw", method: str = "POST", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Push by a connection of its own; headers are named with ``_`` for ``-``."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
            return told(connection.getresponse())
        finally:
            connection.close()

    @contextmanager
    def raw(self) -> Iterator[socket.socket]:
        """A connection without any manners."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as client:
            yield client

    def say(self, *pieces: bytes) -> bytes:
        """Say something as it is, and hear all that comes until the door ends the connection."""
        with self.raw() as client:
            for piece in pieces:
                client.sendall(piece)
            return heard(client)


class Opened(Client):
    """A door that is open."""

    def __init__(self, door: HttpDoor, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(door.port)
        self.door, self.loop = door, loop

    def stop(self, grace: float = 5) -> None:
        """Close the door."""
        asyncio.run_coroutine_threadsafe(self.door.stop(grace), self.loop).result(30)


@contextmanager
def served(
    store: Store, limits: HttpLimits | None = None, door: dict[str, Any] | None = None, **how: Any
) -> Iterator[Opened]:
    """A door in a thread."""
    how.setdefault("dead", store.bury)
    how.setdefault("seen", store.note)
    app = ReceiveApp(store.take, limits=limits or HttpLimits(), **how)
    made = HttpDoor(app, **{**MADE, **(door or {})})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(made.start(), loop).result(10)
        yield Opened(made, loop)
    finally:
        store.slow.set()
        asyncio.run_coroutine_threadsafe(made.stop(5), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def told(answer: HTTPResponse) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in small letters, body."""
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def heard(client: socket.socket) -> bytes:
    """All that comes until the connection ends, one way or another."""
    found = b""
    try:
        while some := client.recv(65_536):
            found += some
    except ConnectionResetError:
        pass
    return found


def until(true: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, true
        time.sleep(0.005)
