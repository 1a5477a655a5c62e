"""A real HTTP proxy that tests put before a server of objects: it throttles, and cuts answers in their middle."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class FaultyProxy:
    """Passes requests on to a server on this machine; ``fault`` says of each what goes wrong.

    Attributes:
        seen: Method and path of every request.
        fault: Is given method, path and headers; answers ``""``, ``"slow down"`` or ``"cut"``.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.seen: list[tuple[str, str]] = []
        self.fault: Callable[[str, str, Any], str] = lambda _method, _path, _headers: ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, method: str) -> int:
        """Requests of a method."""
        return sum(one == method for one, _ in self.seen)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                proxy.seen.append((self.command, self.path))
                fault = proxy.fault(self.command, self.path, self.headers)
                if fault == "slow down":
                    self._answer(503, [("Content-Type", "application/xml")], SLOW_DOWN)
                    return
                connection = http.client.HTTPConnection("127.0.0.1", proxy._port, timeout=30)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                data = answer.read()
                kept = [
                    (name, value)
                    for name, value in answer.getheaders()
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server")
                ]
                connection.close()
                length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else None
                self._answer(answer.status, kept, data, length, cut=fault == "cut")

            def _answer(
                self,
                status: int,
                headers: list[tuple[str, str]],
                data: bytes,
                length: str | None = None,
                *,
                cut: bool = False,
            ) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", length or str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if cut else data)
                self.close_connection = cut

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815 - the names are the server's

            def log_message(self, *_: object) -> None:
                """Nothing: tests say what matters."""

        return Handler
