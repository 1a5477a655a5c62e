"""What stands between a lake and its servers in tests, and lets them fail as networks and clouds do, by a seed."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.storages import Server

CHANGES = {"PUT", "POST", "DELETE"}
BUSY = "<Error><Code>{code}</Code><Message>no</Message><RequestId>1</RequestId></Error>"
REFUSED = {"busy": (503, "SlowDown"), "broken": (500, "InternalError")}
FAULTS = (*REFUSED, "cut", "slow", "lost")
"""Refused for now; an answer of half a body; one that comes late; a change that is done and not answered."""
SLOW_S = 0.05


class Proxy:
    """An HTTP server that passes all on to another, and fails at times.

    Args:
        server: The other.
        chance: How many of the requests fail, from 0 to 1.
        seed: Of which requests fail.
        faults: Which.
        row: How many a request meets at most before one of its kind is answered.

    Attributes:
        met: Faults so far.
        url: Its address.
    """

    def __init__(self, server: Server, chance: float, seed: int, faults: Sequence[str] = FAULTS, row: int = 2) -> None:
        self.chance, self.faults, self._most = chance, tuple(faults), row
        self.met: Counter[str] = Counter()
        self._random = random.Random(seed)  # noqa: S311 - faults, no secrets
        self._rows: Counter[str] = Counter()
        self._lock = threading.Lock()
        passing = type("Passing", (_Passing,), {"proxy": self, "port": server.port})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), passing)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def fault(self, verb: str, path: str) -> str:
        """What happens to a request; nothing, mostly."""
        with self._lock:
            usable = [one for one in self.faults if one != "lost" or verb in CHANGES]
            place = f"{verb} {path.partition('?')[0]}"
            if not usable or self._rows[place] >= self._most or self._random.random() >= self.chance:
                self._rows[place] = 0
                return ""
            self._rows[place] += 1
            found = min(usable, key=self.met.__getitem__)  # each kind comes, however few there are
            self.met[found] += 1
            return found

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Passing(BaseHTTPRequestHandler):
    """One connection to a proxy."""

    protocol_version = "HTTP/1.1"
    proxy: Proxy
    port: int

    def _pass(self) -> None:
        given = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Expect"):  # what was waited for is sent by http.server before
            del self.headers["Expect"]
        fault = self.proxy.fault(self.command, self.path)
        if fault in REFUSED:
            status, code = REFUSED[fault]
            self._answer(status, {"Content-Type": "application/xml"}, BUSY.format(code=code).encode())
            return
        if fault == "slow":
            time.sleep(SLOW_S)
        status, headers, body = self._asked(given)
        if fault == "lost" or (fault == "cut" and not body):
            self._drop()
        elif fault == "cut":
            self._answer(status, headers, body[: len(body) // 2])
            self._drop()
        else:
            self._answer(status, headers, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815 - named by http.server

    def _asked(self, given: bytes) -> tuple[int, dict[str, str], bytes]:
        server = HTTPConnection("127.0.0.1", self.port, timeout=60)
        kept = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        server.request(self.command, self.path, given, kept)
        answer = server.getresponse()
        body = answer.read()
        left = {"connection", "transfer-encoding", "date", "server"}
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in left}
        server.close()
        return answer.status, headers, body

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        if not any(name.lower() == "content-length" for name in headers):
            headers["Content-Length"] = str(len(body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self) -> None:
        """Answer until the other goes."""
        with suppress(OSError, HTTPException):
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Wire:
    """What passes on the bytes to a database, and cuts the connection at a commit, before it or after.

    Args:
        server: The database.

    Attributes:
        port: Where it listens.
        cuts: What it shall do with the commits that come, in their order: ``before``, ``after``, or nothing.
        done: What it did so far.
    """

    def __init__(self, server: Server) -> None:
        self.cuts: list[str] = []
        self.done: list[str] = []
        handler = type("Passed", (_Passed,), {"wire": self, "to": ("127.0.0.1", server.port)})
        self._server = ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def cut(self) -> str:
        """What to do with a commit that has come."""
        found = self.cuts.pop(0) if self.cuts else ""
        self.done += [found] if found else []
        return found

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Passed(BaseRequestHandler):
    """One connection through a wire."""

    wire: Wire
    to: tuple[str, int]

    def handle(self) -> None:
        """Pass on what comes, until one side goes or it is cut."""
        with suppress(OSError), socket.create_connection(self.to) as server:
            back = threading.Thread(target=self._back, args=(server,), daemon=True)
            self._keeps_answers = False
            back.start()
            while given := self.request.recv(65536):
                # A transaction that changed something is known by what came before its COMMIT.
                if b"UPDATE" in given:
                    self._changed = True
                cut = self.wire.cut() if b"COMMIT" in given and getattr(self, "_changed", False) else ""
                if cut == "before":
                    break
                self._keeps_answers = cut == "after"
                server.sendall(given)
                if cut == "after":
                    time.sleep(0.2)
                    break
            for one in (server, self.request):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            back.join()

    def _back(self, server: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(65536):
                if not self._keeps_answers:
                    self.request.sendall(answer)
        with suppress(OSError):  # also where the server reset the connection: who waits for it is to know
            self.request.shutdown(socket.SHUT_RDWR)
