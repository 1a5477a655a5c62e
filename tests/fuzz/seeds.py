"""What real clients send, as inputs for the fuzzer: ``python -m tests.fuzz.seeds`` writes them to the corpus.

The OpenTelemetry SDK, the clients of Elasticsearch and OpenSearch, fluent-logger, Python's SysLogHandler, logger and
curl are asked to send, and what comes is kept. What has no client here was written by hand, after its documentation.
"""

from __future__ import annotations

import gzip
import logging
import socket
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elasticsearch import Elasticsearch
from elasticsearch import helpers as elastic_helpers
from fluent.sender import FluentSender
from opensearchpy import OpenSearch
from opensearchpy import helpers as open_helpers
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from starlette.routing import compile_path

from logshed.receivers import elastic, lines, otlp
from logshed.receivers.model import Decoded, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEPT = ("content-type",)
MOMENT = 1_795_701_600_123_456_789
ROUTES = [(compile_path(one.path)[0], one) for one in (*otlp.ROUTES, *elastic.ROUTES, *lines.ROUTES)]


@contextmanager
def asked() -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers as the decoders' routes do, and keeps each request that has a body."""
    kept: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _said(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            path = self.path.partition("?")[0]
            request = Request(path, {}, headers, body, "192.0.2.7", datetime.now(UTC))
            route = next(one for at, one in ROUTES if self.command in one.methods and at.match(path))
            if route.decode:
                head = [
                    f"{self.command} {self.path}",
                    *(f"{name}: {headers[name]}" for name in KEPT if name in headers),
                ]
                kept.append("\n".join(head).encode("latin-1") + b"\n\n" + body)
            reply = route.answer(request, route.decode(request) if route.decode else Decoded(()))
            self.send_response(reply.status)
            for name, value in {**reply.headers, "content-length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else reply.body)

        def do_HEAD(self) -> None:
            self._said()

        def do_POST(self) -> None:
            self._said()

        def do_PUT(self) -> None:
            self._said()

        def do_GET(self) -> None:
            self._said()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", kept
        server.shutdown()


def heard(send: Callable[[int], None]) -> bytes:
    """What a client of a stream sends to a port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        sender = threading.Thread(target=send, args=(door.getsockname()[1],))
        sender.start()
        with door.accept()[0] as came:
            came.settimeout(5)
            sender.join()
            found = b""
            while piece := came.recv(65536):
                found += piece
    return found


def of_otlp(address: str) -> None:
    """The SDK's exporter."""
    provider = LoggerProvider(Resource({"service.name": "shop", "replicas": 3}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(endpoint=f"{address}/v1/logs")))
    logger = provider.get_logger("shop.orders", "1.2.0")
    for body in ("GET / 200", {"order": 7, "items": ["a", 2, None, 0.5]}, b"\xfe", 1.5):
        attributes = {"user.id": "u1", "paid": True, "sizes": [1, 2], "ratio": 0.25, "n": -7, "raw": b"\xff"}
        warn = SeverityNumber.WARN
        logger.emit(
            LogRecord(
                timestamp=MOMENT,
                observed_timestamp=MOMENT,
                event_name="order.paid",
                severity_text="WARN",
                severity_number=warn,
                body=body,
                attributes=attributes,
            )
        )
    provider.shutdown()


def sent(address: str, path: str, body: str | bytes, *headers: str, kind: str = "application/json") -> None:
    """By curl."""
    given = [part for one in (f"content-type: {kind}", *headers) for part in ("-H", one)]
    body = body.encode() if isinstance(body, str) else body
    subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", *given, "--data-binary", "@-", address + path], input=body, check=True
    )


def of_elastic(address: str) -> None:
    """The clients' helpers, and what Beats and Fluent Bit write."""
    ecs = {
        "@timestamp": "2026-11-26T14:00:00.123Z",
        "message": "GET /",
        "log": {"level": "warn", "logger": "a", "origin": {"file": {"line": 7}}},
        "trace": {"id": "4bf92f3577b34da6a3ce929d0e0e4736"},
        "host": {"name": "w1"},
        "tags": ["a", {"b": None}],
    }
    actions: list[list[dict[str, Any]]] = [
        [
            {"_index": "web", "_id": "7", **ecs},
            {"_op_type": "create", "_index": "web", "log": "x\n", "stream": "stdout"},
        ],
        [
            {"_op_type": "delete", "_index": "web", "_id": "1"},
            {"_op_type": "update", "_index": "w", "_id": "2", "doc": {}},
        ],
    ]
    with Elasticsearch(address) as client:
        for some in actions:
            elastic_helpers.bulk(client, some, raise_on_error=False)
        client.index(index="web", document={"message": "alone", "n": 1e300})
        client.create(index="web", id="a/b", document={"timestamp": 1_795_701_600_123, "msg": "x"})
    with OpenSearch(address) as other:
        open_helpers.bulk(other, [{"message": "x"}] * 3, index="open")


def of_lines(address: str) -> None:
    """What curl is told to send."""
    sent(address, "/v1/raw?stream=a&format=nginx", b"one\n\ntwo \xff")
    sent(address, "/v1/raw/web", 'ERROR x\n  at "a"\n', kind="text/plain")
    sent(address, "/v1/ndjson/web", b'{"a":1}\n\n {"b":"\\ud800","a":1e999}\r\n[1]\n{"c":\xff}\nx\n')
    sent(address, "/v1/ndjson?collection=c&stream=s", '[{"a":1},{"a":2,"a":3},4]')
    sent(address, "/v1/ndjson", '{\n"a":\n[1]\n}')


def _handled(port: int) -> None:
    handler = SysLogHandler(("127.0.0.1", port), socktype=socket.SOCK_STREAM)
    handler.emit(logging.makeLogRecord({"msg": "one"}))
    handler.emit(logging.makeLogRecord({"msg": "two\nlines"}))
    handler.close()


def _logged(options: tuple[str, ...], port: int) -> None:
    subprocess.run(
        [
            "logger",
            "-T",
            "-n",
            "127.0.0.1",
            "-P",
            str(port),
            "--rfc5424=notime,notq,nohost",
            "-t",
            "app",
            *options,
            "caf\xe9",
        ],
        check=True,
    )


def _sent(port: int) -> None:
    sender = FluentSender("shop", "127.0.0.1", port, nanosecond_precision=True)
    sender.emit("web", {"log": "x", "n": 1})
    sender.emit(None, {"message": "caf\xe9", "list": [1, {"a": None}]})
    sender.close()


HTTP = {"otlp-protobuf": of_otlp, "elastic": of_elastic, "lines": of_lines}
STREAMS = {"syslog": (_handled, partial(_logged, ()), partial(_logged, ("--octet-count",))), "forward": (_sent,)}


def main() -> None:
    """Write all of them, each as an input of its target."""
    found: dict[str, list[bytes]] = {}
    for name, send in HTTP.items():
        with asked() as (address, kept):
            send(address)
        found[name] = kept
    found["otlp-protobuf"] = [one.partition(b"\n\n")[2] for one in found["otlp-protobuf"]]
    for name, clients in STREAMS.items():
        found[name] = [bytes([size]) + one for one in map(heard, clients) for size in (0, 5)]
    for name, inputs in found.items():
        for number, one in enumerate(inputs):
            (Path(__file__).parent / "corpus" / name / f"client-{number:02}").write_bytes(one)


if __name__ == "__main__":
    main()
