"""The web application on a free port, in a thread of this process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from logshed.web.serving import WebServer
from logshed.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.access import Tokens
    from logshed.api import Lake

SECONDS = 20


@contextmanager
def web_server(lake: Lake, tokens: Tokens | None = None) -> Iterator[str]:
    """Serve a lake; gives the address without a slash at its end.

    Args:
        lake: What is served.
        tokens: Who is let in; None is everybody.
    """
    server = WebServer(Site(lake, tokens), listen="127.0.0.1:0", anyone=tokens is None)
    thread = threading.Thread(target=server.run, name="web-server")
    thread.start()
    try:
        yield server.url.rstrip("/")
    finally:
        server.close()
        thread.join(SECONDS)
        assert not thread.is_alive()
