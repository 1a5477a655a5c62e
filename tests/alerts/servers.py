"""Real servers on the loopback: HTTP, SMTP, syslog over UDP, TCP and TLS."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from email.message import Message


@dataclass
class Web:
    """What an HTTP server got, and what it is to answer next: status, headers and body; then 200."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Message] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    always: tuple[int, dict[str, str], bytes] = (200, {}, b"ok")

    def json(self, number: int = -1) -> Any:
        """A body as JSON."""
        return json.loads(self.bodies[number])


@contextmanager
def web(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    """An HTTP server."""
    got = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.headers.append(self.headers)
            got.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers, body = got.answers.pop(0) if got.answers else got.always
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a client that refuses our certificate is what the test is about

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    got.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}/services/T00/B00/planted-secret-path"
    with _served(server):
        yield got


@dataclass
class Listener:
    """What a syslog listener got."""

    port: int = 0
    data: bytearray = field(default_factory=bytearray)
    packets: list[bytes] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> bytes:
        """All that came, once the sender has closed or a datagram is there."""
        assert self.done.wait(60)
        return bytes(self.data)


@contextmanager
def stream(context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """A syslog listener over TCP or TLS."""
    got = Listener()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := self.request.recv(65536):
                got.data += data
            got.done.set()

    class Server(socketserver.ThreadingTCPServer):
        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    got.port = server.server_address[1]
    with _served(server):
        yield got


@contextmanager
def datagrams() -> Iterator[Listener]:
    """A syslog listener over UDP."""
    got = Listener()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            got.packets.append(self.request[0])
            got.data += self.request[0]
            got.done.set()

    server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
    got.port = server.server_address[1]
    with _served(server):
        yield got


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
