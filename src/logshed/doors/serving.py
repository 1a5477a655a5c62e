"""Opens a door on an address, and closes it so that nobody who watches keeps it open."""

from __future__ import annotations

import asyncio
import logging
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, NamedTuple

import uvicorn

from logshed.doors.feed import Feed
from logshed.doors.guard import Guard
from logshed.doors.live_map import LiveMap
from logshed.doors.timely import hold_to_time
from logshed.errors import DoorError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from logshed.access import Tokens
    from logshed.doors.readable import Readable
    from logshed.live.events import Events

ADDRESS = "127.0.0.1:8610"
WAITING = 128
UNREAD_MS = 30_000
"""Milliseconds after which the system ends a connection whose other side takes nothing."""
GRACE_SECONDS = 2


class Certificate(NamedTuple):
    """Files of a certificate and its key, in PEM."""

    file: Path
    key: Path


class _Server(uvicorn.Server):
    """Sends watchers away when it is to end: it would wait for them for ever."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.close()
        await super().shutdown(sockets)


class Door:
    """The live map on an address.

    Args:
        events: What is shown as it happens.
        store: Totals and lines; None counts the events themselves.
        tokens: Who may come in; None is whoever is on this machine.
        listen: Host and port; port 0 takes a free one.
        certificate: To speak HTTPS.

    Attributes:
        address: Host and port.
        url: Where the map is.
        local: Whether this machine alone reaches it.

    Raises:
        UsageError: The address is none, or it can be reached from elsewhere and there are no tokens.
        DoorError: The address is in use or is not of this machine, or the certificate cannot be read.
    """

    def __init__(
        self,
        events: Events,
        store: Readable | None,
        tokens: Tokens | None,
        *,
        listen: str = ADDRESS,
        certificate: Certificate | None = None,
    ) -> None:
        self.feed = Feed(events)
        app = LiveMap(self.feed, store, Guard(tokens)).app()
        self._server = _Server(configured(app, certificate), self.feed)
        self._socket = opened_socket(listen, anyone=tokens is None)
        host, port = self._socket.getsockname()[:2]
        self.address: tuple[str, int] = host, port
        self.local = ip_address(host).is_loopback
        self.url = f"{'https' if certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/"

    def run(self) -> None:
        """Serve until the process is told to end, or ``close`` is called by another thread."""
        asyncio.run(self._run())

    def close(self) -> None:
        """End soon, and send away all who watch."""
        self._server.should_exit = True

    async def _run(self) -> None:
        """Serve while the feed flows; each ends with the other."""
        flowing = asyncio.ensure_future(self.feed.flow())
        serving = asyncio.ensure_future(self._server.serve([self._socket]))
        await asyncio.wait([flowing, serving], return_when=asyncio.FIRST_COMPLETED)
        self.close()
        await serving
        if flowing.done():
            flowing.result()
        flowing.cancel()
        await asyncio.gather(flowing, return_exceptions=True)


def configured(
    app: ASGIApp, certificate: Certificate | None, *, lifespan: Literal["on", "off"] = "off", grace: int = GRACE_SECONDS
) -> uvicorn.Config:
    """How an application is served: it says nothing of itself and writes no log of its own.

    Args:
        app: What answers.
        certificate: To speak HTTPS.
        lifespan: Whether the application is told that it begins and ends.
        grace: Seconds that running answers get when it is to end.

    Raises:
        DoorError: The certificate cannot be read.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of each reader that was too slow
    config = uvicorn.Config(
        app,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=grace,
        ssl_certfile=certificate.file if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    try:
        config.load()
    except OSError as error:
        raise DoorError(f"cannot use the certificate: {error}; give a certificate and its key as PEM files") from None
    hold_to_time(config)
    return config


def opened_socket(listen: str, *, anyone: bool) -> socket.socket:
    """A socket that listens.

    Args:
        listen: Host and port.
        anyone: Whether everybody is let in who can reach it, which has to be this machine alone.

    Raises:
        UsageError: As ``serve``.
        DoorError: As ``serve``.
    """
    host, colon, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 2**16):
        raise UsageError(f"cannot listen on {listen!r}: that is no address; write --listen 127.0.0.1:8610")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        if anyone and not ip_address(str(address[0])).is_loopback:
            raise UsageError(
                f"cannot let everybody in on {listen}: others than this machine reach it; leave out --no-tokens, "
                "or listen on 127.0.0.1"
            )
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if unread := getattr(socket, "TCP_USER_TIMEOUT", None):
                opened.setsockopt(socket.IPPROTO_TCP, unread, UNREAD_MS)
            opened.bind(address)
            opened.listen(WAITING)
        except OSError:
            opened.close()
            raise
    except OSError as error:
        raise DoorError(f"cannot listen on {listen}: {error.strerror or error}; choose another with --listen") from None
    return opened
