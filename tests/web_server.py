"""The web application on a free port, in a thread of this process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from logshed.web.serving import WebServer
from logshed.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.access import People, Tokens
    from logshed.api import Lake
    from logshed.web_settings import Web

SECONDS = 20


@contextmanager
def web_server(
    lake: Lake, tokens: Tokens | None = None, people: People | None = None, web: Web | None = None
) -> Iterator[str]:
    """Serve a lake; gives the address without a slash at its end.

    Args:
        lake: What is served.
        tokens: Who is let in; None is everybody.
        people: Who may sign in.
        web: How; the port is free whatever it says.
    """
    settings = (web or lake.settings.web).given(listen="127.0.0.1:0")
    server = WebServer(Site(lake, tokens, people=people, web=settings))
    thread = threading.Thread(target=server.run, name="web-server")
    thread.start()
    try:
        yield server.url.rstrip("/")
    finally:
        server.close()
        thread.join(SECONDS)
        assert not thread.is_alive()
