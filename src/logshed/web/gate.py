"""Stands before all routes: lets in requests for this site by its own names, and changes from its own pages alone.

A stranger's page whose name leads here (DNS rebinding) would read with the rights of who sits before the browser; a
form of a stranger's page would act with them. Browsers say by ``Host``, ``Origin`` and ``Sec-Fetch-Site`` what they do.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from logshed.doors.guard import LOCAL
from logshed.web.problems import problem
from logshed.web.who import SAFE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from logshed.web_settings import Web

READY = "/ready"
"""Says nothing but that it is: whoever looks after the process asks by any name."""
OWN_SITES = frozenset({"same-origin", "none"})
"""What ``Sec-Fetch-Site`` says of our own pages, and of who typed the address."""


class Gate:
    """Refuses what other sites make browsers send.

    Args:
        app: What answers.
        web: Under which names it is reached.
        everybody: Whether it lets everybody in who reaches it.
    """

    def __init__(self, app: ASGIApp, web: Web, *, everybody: bool = False) -> None:
        self._app, self._everybody = app, everybody
        self._public = web.public_url
        named = urlsplit(web.public_url).hostname if web.public_url else None
        self._names = LOCAL | {web.address.host} | ({named} if named else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] not in ("http", "websocket") or scope["path"] == READY:
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        refused = self._refused(asked, changes=scope["type"] == "websocket" or scope["method"] not in SAFE)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1]})
        else:
            await problem(*refused)(scope, receive, send)

    def _refused(self, asked: HTTPConnection, *, changes: bool) -> tuple[int, str] | None:
        host = asked.headers.get("host", "")
        shows_token = "authorization" in asked.headers and not self._everybody  # which counts alone, then
        if not shows_token and not self._known(host):
            return 421, "this site is not served under that name; set public_url in [web] to the one that people write"
        if not changes or asked.headers.get("authorization", "").lower().startswith("bearer "):
            return None  # which no browser adds by itself
        origin = asked.headers.get("origin")
        if origin is not None:
            scheme = {"ws": "http", "wss": "https"}.get(asked.url.scheme, asked.url.scheme)
            own = origin.lower() in (f"{scheme}://{host}".lower(), self._public)
        else:
            own = asked.headers.get("sec-fetch-site", "none") in OWN_SITES
        return None if own else (403, "not allowed: pages of other sites change nothing here")

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        if name is None or name in self._names:
            return name is not None
        try:
            ip_address(name)
        except ValueError:
            return False
        return True  # no name leads to it
