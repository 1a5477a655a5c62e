"""Lets clients in by a socket that listens, one after another, whatever becomes of one of them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from logshed.doors.senders import named

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

NO_FILES_SECONDS = 1.0
"""How long nobody is let in after the system had no room for a connection."""
log = logging.getLogger(__name__)


async def clients(listening: socket.socket) -> AsyncIterator[tuple[socket.socket, str]]:
    """Connections with the addresses that they are from, until it is cancelled.

    Args:
        listening: A socket that does not block; it stays open.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            accepted, address = await loop.sock_accept(listening)
        except ConnectionError:  # it was gone before it was let in
            continue
        except OSError as error:
            log.warning("cannot let a client in: %s; it waits", error.strerror)
            await asyncio.sleep(NO_FILES_SECONDS)
            continue
        yield accepted, named(address[0])
