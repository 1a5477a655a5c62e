"""Doors for connections and datagrams on an address: they open its socket, serve it, and close it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from logshed.doors.serving import opened_socket
from logshed.errors import DoorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.doors.datagrams import Datagrams
    from logshed.doors.streams import Streams


def shown(host: str, port: int) -> str:
    """An address as it is written."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class StreamListener:
    """Connections on an address.

    Args:
        door: What talks to clients.
        listen: Host and port; port 0 takes a free one.

    Attributes:
        addresses: Host and port, once it listens.
    """

    dropped = None

    def __init__(self, door: Streams, listen: str) -> None:
        self.door = door
        self.addresses = [listen]
        self._listen = listen
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """How many are open."""
        return self.door.counts.open

    async def start(self) -> None:
        """Listen.

        Raises:
            DoorError: The address is in use or is not of this machine.
        """
        self._socket = opened_socket(self._listen, anyone=False)
        self.addresses = [shown(*self._socket.getsockname()[:2])]
        self._serving = asyncio.create_task(self.door.serve(self._socket))

    async def stop(self, grace: float) -> None:
        """Let nobody in, and send those who are in away once what they sent is taken."""
        if self._serving is not None and self._socket is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._socket.close()
        await self.door.close(grace)


class DatagramListener:
    """Datagrams on an address.

    Args:
        make: Makes what takes them of a socket.
        listen: Host and port; port 0 takes a free one.

    Attributes:
        addresses: Host and port, once it listens.
        door: What takes them, once it listens.
    """

    connections = None

    def __init__(self, make: Callable[[socket.socket], Datagrams], listen: str) -> None:
        self.addresses = [listen]
        self.door: Datagrams | None = None
        self._make = make
        self._listen = listen
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def dropped(self) -> int:
        """Datagrams for which there was no room."""
        return 0 if self.door is None else self.door.dropped

    async def start(self) -> None:
        """Listen.

        Raises:
            DoorError: The address is in use or is not of this machine.
        """
        self._socket = _bound(self._listen)
        self.addresses = [shown(*self._socket.getsockname()[:2])]
        self.door = self._make(self._socket)
        self._serving = asyncio.create_task(self.door.serve())

    async def stop(self, grace: float) -> None:
        """Take what has come, and nothing more."""
        if self.door is not None and self._serving is not None and self._socket is not None:
            self.door.close()
            _, late = await asyncio.wait([self._serving], timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._socket.close()


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise DoorError(f"cannot listen on {listen}: {error.strerror or error}; choose another") from None
    return bound
