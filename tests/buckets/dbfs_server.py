"""A small HTTP server that speaks the DBFS API as Databricks documents it: a stand-in, since no workspace runs here."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-tests"  # noqa: S105 - of a server that lives for a test


class DbfsServer:
    """Files in memory.

    Attributes:
        files: Bytes by path.
        corrupt: Whether it changes what it is given.
        throttles: How many requests it still answers with 429.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.corrupt = False
        self.throttles = 0
        self._open: dict[int, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, verb: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What the API answers."""
        path = given.get("path") or given.get("source_path") or ""
        if verb in ("get-status", "read", "move", "delete") and path not in self.files:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"No file or directory at {path}"}
        if verb == "create":
            handle = len(self._open) + 1
            self._open[handle] = path
            self.files[path] = b""
            return 200, {"handle": handle}
        if verb == "add-block":
            data = base64.b64decode(given["data"])
            assert len(given["data"]) <= 2**20, "a block is at most 1 MB"
            self.files[self._open[given["handle"]]] += data[::-1] if self.corrupt else data
        elif verb == "get-status":
            return 200, {"path": path, "is_dir": False, "file_size": len(self.files[path])}
        elif verb == "read":
            offset = int(given["offset"])
            data = self.files[path][offset : offset + min(int(given["length"]), 2**20)]
            return 200, {"bytes_read": len(data), "data": base64.b64encode(data).decode()}
        elif verb == "move":
            if given["destination_path"] in self.files:
                return 400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there is a file"}
            self.files[given["destination_path"]] = self.files.pop(path)
        elif verb == "delete":
            del self.files[path]
        return 200, {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self._answer(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()})

            def do_POST(self) -> None:
                self._answer(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, path: str, given: dict[str, Any]) -> None:
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    status, told = 403, {"error_code": "403", "message": "Invalid access token."}
                elif server.throttles:
                    server.throttles -= 1
                    status, told = 429, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slower"}
                else:
                    status, told = server.answer(path.removeprefix("/api/2.0/dbfs/"), given)
                data = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing: tests say what matters."""

        return Handler
