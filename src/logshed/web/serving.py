"""Opens the address of the web application, and closes it so that nobody who watches keeps it open."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn

from logshed.doors.serving import Certificate, configured, opened_socket
from logshed.web.app import served

if TYPE_CHECKING:
    import socket

    from logshed.web.site import Site

GRACE_SECONDS = 4


class _Server(uvicorn.Server):
    """Tells the site that it ends, so that streams end, which would be waited for otherwise."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._site.ending.set()
        await super().shutdown(sockets)


class WebServer:
    """The web application on an address.

    Args:
        site: What is served, and where.

    Attributes:
        url: Where it is.
        local: Whether this machine alone reaches it.

    Raises:
        UsageError: The address is none, or it can be reached from elsewhere and lets everybody in.
        DoorError: The address is in use or is not of this machine, or the certificate cannot be read.
    """

    def __init__(self, site: Site) -> None:
        web = site.web
        certificate = Certificate(web.certificate, web.key) if web.certificate and web.key else None
        config = configured(served(site), certificate, lifespan="on", grace=GRACE_SECONDS)
        self._server = _Server(config, site)
        self._socket = opened_socket(web.listen, anyone=site.who.open)
        host, port = self._socket.getsockname()[:2]
        self.local = ip_address(host).is_loopback
        self.url = f"{'https' if certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/"

    def run(self) -> None:
        """Serve until the process is told to end, or ``close`` is called by another thread."""
        asyncio.run(self._server.serve([self._socket]))

    def close(self) -> None:
        """End soon."""
        self._server.should_exit = True
