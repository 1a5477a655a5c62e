"""Opens an application for logs on addresses: it lets clients in within limits, and ends when all is answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from email.utils import formatdate
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.server import ServerState

from logshed.doors.accepting import clients
from logshed.doors.http_connections import Connection
from logshed.doors.senders import Counts
from logshed.doors.serving import opened_socket
from logshed.errors import UsageError

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Sequence

    from logshed.doors.receive_http import ReceiveApp

LISTEN = "127.0.0.1:4318"
END_SECONDS = 2.0
"""For a client to end TLS from its side."""
log = logging.getLogger(__name__)


class HttpDoor:
    """An application on some addresses, in the running loop.

    Args:
        app: What answers.
        listen: Hosts and ports; port 0 takes a free one.
        tls: To speak HTTPS.
        insecure: Whether to listen where others than this machine come, without tokens or without TLS.

    Attributes:
        addresses: Hosts and ports, once it is open.
        counts: What happened so far.
    """

    def __init__(
        self,
        app: ReceiveApp,
        *,
        listen: Sequence[str] = (LISTEN,),
        tls: ssl.SSLContext | None = None,
        insecure: bool = False,
    ) -> None:
        self.app, self.limits, self.counts = app, app.limits, Counts()
        self.config = _config(app)
        self.state = ServerState()
        self.addresses: list[tuple[str, int]] = []
        self._listen, self._tls, self._insecure = listen, tls, insecure
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming: set[asyncio.Task[None]] = set()
        self._of: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._closing = False

    @property
    def port(self) -> int:
        """That of the first address."""
        return self.addresses[0][1]

    async def start(self) -> None:
        """Listen.

        Raises:
            UsageError: An address is none, or others than this machine reach it and it is not secure.
            DoorError: An address is in use or is not of this machine.
        """
        try:
            for address in self._listen:
                opened = opened_socket(address, anyone=False)
                self._sockets.append(opened)
                self._check(address, opened)
                opened.setblocking(False)
                opened.listen(self.limits.connections)  # who is not let in is told so, rather than left waiting
        except BaseException:
            self._close_sockets()
            raise
        self.addresses = [one.getsockname()[:2] for one in self._sockets]
        self._tell_time()
        self._tasks = {asyncio.create_task(self._accept(one)) for one in self._sockets}
        self._tasks.add(asyncio.create_task(self._keep_time()))

    async def stop(self, grace: float) -> None:
        """Let nobody in any more, answer what came, and end.

        Args:
            grace: Seconds after which what still runs is cut off.
        """
        self._closing = True
        for task in (*self._tasks, *self._coming):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._coming, return_exceptions=True)
        self._close_sockets()
        for connection in self._connections():
            connection.leave()
        try:
            async with asyncio.timeout(grace):
                while self._of:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            log.warning("%d connections are cut off, since they did not end in time", self._of.total())
        for connection in self._connections():
            connection.transport.abort()
        running = list(self.state.tasks)
        for request in running:
            request.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self.app.close()

    def left(self, connection: Connection) -> None:
        """A connection is no more."""
        self._out(connection.peer)

    def _check(self, address: str, opened: socket.socket) -> None:
        secure = self._tls is not None and self.app.callers.tokens is not None
        if not (secure or self._insecure or ip_address(opened.getsockname()[0]).is_loopback):
            raise UsageError(
                f"cannot receive on {address}: others than this machine reach it, and it has no TLS or no tokens; give "
                "it both, listen on 127.0.0.1, or set insecure = true"
            )

    def _connections(self) -> list[Connection]:
        return [one for one in self.state.connections if isinstance(one, Connection)]

    def _close_sockets(self) -> None:
        for one in self._sockets:
            one.close()
        self._sockets = []

    async def _accept(self, listening: socket.socket) -> None:
        async for accepted, peer in clients(listening):
            self._let_in(accepted, peer)

    def _let_in(self, accepted: socket.socket, peer: str) -> None:
        """Count a client before TLS begins, so that half a handshake is one too."""
        if self.counts.open >= self.limits.connections or self._of[peer] >= self.limits.of_one:
            self.counts.turned_away += 1
            accepted.close()
            return
        self.counts.open += 1
        self.counts.opened += 1
        self._of[peer] += 1
        task = asyncio.create_task(self._connect(accepted, peer))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _connect(self, accepted: socket.socket, peer: str) -> None:
        connection = Connection(self, peer)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=self.limits.header_seconds if self._tls else None,
                ssl_shutdown_timeout=END_SECONDS if self._tls else None,
            )
        except (OSError, asyncio.CancelledError) as error:  # ssl.SSLError is an OSError
            self.counts.broken += 1
            if connection.made:
                connection.transport.abort()
            else:
                accepted.close()
                self._out(peer)
            if isinstance(error, asyncio.CancelledError):
                raise

    def _out(self, peer: str) -> None:
        self.counts.open -= 1
        self._of[peer] -= 1
        if not self._of[peer]:
            del self._of[peer]
        self._empty.set()

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(1 - time.time() % 1)
            self._tell_time()

    def _tell_time(self) -> None:
        self.state.default_headers = [(b"date", formatdate(usegmt=True).encode())]


def _config(app: ReceiveApp) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would tell of each request that is no HTTP
    limits = app.limits
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=limits.idle_seconds,  # type: ignore[arg-type] # it is given to a timer, which takes fractions
        h11_max_incomplete_event_size=limits.header_bytes,
    )
    config.load()
    return config
