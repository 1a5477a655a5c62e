"""Opens the address of the web application, and closes it so that nobody who watches keeps it open."""

from __future__ import annotations

import asyncio
import logging
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn

from logshed.doors.serving import Certificate, opened_socket
from logshed.errors import DoorError
from logshed.web.app import served

if TYPE_CHECKING:
    import socket

    from logshed.web.site import Site

ADDRESS = "127.0.0.1:8600"
GRACE_SECONDS = 5


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
        site: What is served.
        listen: Host and port; port 0 takes a free one.
        anyone: Whether everybody is let in who can reach it, which has to be this machine alone.
        certificate: To speak HTTPS.

    Attributes:
        url: Where it is.
        local: Whether this machine alone reaches it.

    Raises:
        UsageError: The address is none, or it can be reached from elsewhere and lets everybody in.
        DoorError: The address is in use or is not of this machine, or the certificate cannot be read.
    """

    def __init__(
        self, site: Site, *, listen: str = ADDRESS, anyone: bool = False, certificate: Certificate | None = None
    ) -> None:
        self._server = _Server(_config(site, certificate), site)
        self._socket = opened_socket(listen, anyone=anyone)
        host, port = self._socket.getsockname()[:2]
        self.local = ip_address(host).is_loopback
        self.url = f"{'https' if certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/"

    def run(self) -> None:
        """Serve until the process is told to end, or ``close`` is called by another thread."""
        asyncio.run(self._server.serve([self._socket]))

    def close(self) -> None:
        """End soon."""
        self._server.should_exit = True


def _config(site: Site, certificate: Certificate | None) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of each reader that was too slow
    config = uvicorn.Config(
        served(site),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=certificate.file if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    try:
        config.load()
    except OSError as error:
        raise DoorError(f"cannot use the certificate: {error}; give a certificate and its key as PEM files") from None
    return config
