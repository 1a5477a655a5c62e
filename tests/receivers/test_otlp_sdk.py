"""What OpenTelemetry's own SDK sends comes out as its user wrote it, over HTTP and over gRPC."""

from __future__ import annotations

import asyncio
import gzip
import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from logshed.doors.otlp_grpc import GrpcDoor, Limits
from logshed.errors import SpoolFullError
from logshed.receivers import otlp
from logshed.receivers.model import Decoded, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOMENT = 1_714_557_600_123_456_789


class Sink:
    """Keeps what is taken; is full as often as it is told to be."""

    def __init__(self, full: int = 0) -> None:
        self.full = full
        self.taken: list[Decoded] = []

    def take(self, decoded: Decoded) -> None:
        """Keep records.

        Raises:
            SpoolFullError: It is full.
        """
        if self.full:
            self.full -= 1
            raise SpoolFullError("full")
        self.taken.append(decoded)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All records."""
        parts = [part for decoded in self.taken for part in decoded.parts]
        return [orjson.loads(line) for part in parts for line in part.lines.splitlines()]


@contextmanager
def over_http(sink: Sink) -> Iterator[str]:
    """A server that does what a door does: undo gzip, decode, take, answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            request = Request(self.path, {}, headers, body, self.client_address[0], datetime.now(UTC))
            (route,) = [one for one in otlp.ROUTES if one.path == self.path and "POST" in one.methods]
            assert route.decode is not None
            decoded = route.decode(request)
            try:
                sink.take(decoded)
                reply = route.answer(request, decoded)
            except SpoolFullError as error:
                reply = route.refuse(request, 503, str(error))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/logs"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def over_grpc(sink: Sink) -> Iterator[str]:
    async def take(decoded: Decoded, _: str) -> None:
        sink.take(decoded)

    door = GrpcDoor(take, listen="127.0.0.1:0", limits=Limits(retry_seconds=0.1))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(door.start(), loop).result(10)
        yield f"http://127.0.0.1:{door.port}"
    finally:
        asyncio.run_coroutine_threadsafe(door.stop(1), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


WAYS: dict[str, tuple[Any, Callable[[str], Any]]] = {
    "http": (over_http, lambda address: HttpExporter(endpoint=address, compression=Compression.Gzip)),
    "grpc": (over_grpc, lambda address: GrpcExporter(endpoint=address, insecure=True)),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_sdk_delivers_what_its_user_logs(way: str) -> None:
    sink = Sink()
    serve, exporter = WAYS[way]
    with serve(sink) as address:
        provider = LoggerProvider(Resource({"service.name": "shop", "replicas": 3}))
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter(address)))
        logger = provider.get_logger("shop.orders", "1.2.0")
        for number in range(1200):
            logger.emit(
                LogRecord(
                    timestamp=MOMENT + number,
                    observed_timestamp=MOMENT,
                    severity_number=SeverityNumber.WARN,
                    severity_text="WARN",
                    body={"order": number, "items": ["a", 2, None, 0.5]} if number % 2 else f"order {number}",
                    attributes={"user.id": "u1", "paid": True, "sizes": [1, 2]},
                    event_name="order.paid",
                )
            )
        provider.shutdown()
    lines = sink.lines
    assert len(sink.taken) > 1
    assert [line["time_unix_nano"] - MOMENT for line in lines] == list(range(1200))
    assert lines[0]["body"] == "order 0"
    assert orjson.loads(lines[1].pop("body")) == {"order": 1, "items": ["a", 2, None, 0.5]}
    assert lines[1].pop("attributes") == {"user.id": "u1", "paid": True, "sizes": "[1,2]"}
    assert {part.stream for decoded in sink.taken for part in decoded.parts} == {"shop"}
    assert lines[1].pop("resource") == {"service.name": "shop", "replicas": 3}
    assert lines[1] == {
        "time_unix_nano": MOMENT + 1,
        "observed_time_unix_nano": MOMENT,
        "severity_number": 13,
        "severity_text": "WARN",
        "event_name": "order.paid",
        "scope": {"name": "shop.orders", "version": "1.2.0"},
    }


@pytest.mark.parametrize("way", WAYS)
def test_the_sdk_sends_again_what_there_was_no_room_for(way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "opentelemetry")
    sink = Sink(full=1)
    serve, exporter = WAYS[way]
    with serve(sink) as address:
        provider = LoggerProvider(Resource({"service.name": "shop"}))
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter(address)))
        provider.get_logger("shop").emit(LogRecord(timestamp=MOMENT, body="kept"))
        assert provider.force_flush(10_000)
        provider.shutdown()
    assert (sink.full, [line["body"] for line in sink.lines]) == (0, ["kept"])
