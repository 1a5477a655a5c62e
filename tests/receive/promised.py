"""Clients of each protocol that insist on an answer."""

from __future__ import annotations

import socket
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import grpc
import msgpack
import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from tests.receive.promises import AGAIN_S, Client, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
ACCEPTED = frozenset({200, 201})
FULL = frozenset({429, 503})
PATIENCE_S = 10.0


class Http(Client):
    """What is spoken over HTTP, on a connection that stays."""

    def __init__(self, ports: Mapping[str, int], seed: int) -> None:
        super().__init__(ports, seed)
        self._connection: HTTPConnection | None = None

    def post(self, path: str, body: bytes, **headers: str) -> bytes:
        """The answer to a request.

        Raises:
            RefusedError: There was no room.
            OSError: There was none that says yes.
        """
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self.ports["http"], timeout=PATIENCE_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", path, body, named)
        with self._connection.getresponse() as answer:
            data = answer.read()
        if answer.status in FULL:
            assert int(answer.headers["Retry-After"]) > 0
            raise RefusedError
        assert answer.status in ACCEPTED, (answer.status, data)
        return data

    def forget(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Lines(Http):
    """Raw lines, with an id of the request."""

    name = "lines"

    def deliver(self, request: str, records: Sequence[str]) -> None:
        """Send lines."""
        self.post("/v1/raw/default?stream=app", "".join(f"{one}\n" for one in records).encode(), X_Request_Id=request)


class Bulk(Http):
    """Elasticsearch's ``_bulk`` with an id of each document; what is sent again is cut otherwise."""

    name = "bulk"

    def deliver(self, request: str, records: Sequence[str]) -> None:
        """Send documents, after some that are known already."""
        del request
        known = self.acknowledged[-self.chance.randint(0, 3) :] if self.again % 2 else []
        for some in ([*known, *records[:5]], records[5:]):
            if some:
                said = orjson.loads(self.post("/_bulk", self._body(some), Content_Type="application/x-ndjson"))
                assert not said["errors"], said

    @staticmethod
    def _body(records: Sequence[str]) -> bytes:
        pairs = (({"create": {"_index": "web", "_id": one.partition(" ")[0]}}, {"message": one}) for one in records)
        return b"".join(orjson.dumps(line) + b"\n" for pair in pairs for line in pair)


class Otlp(Http):
    """OTLP in JSON, with a key of the request."""

    name = "otlp"

    def deliver(self, request: str, records: Sequence[str]) -> None:
        """Send log records."""
        service = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
        logs = [{"body": {"stringValue": one}} for one in records]
        told = {"resourceLogs": [{"resource": service, "scopeLogs": [{"logRecords": logs}]}]}
        self.post("/v1/logs", orjson.dumps(told), Content_Type="application/json", Idempotency_Key=request)


class Grpc(Client):
    """OTLP over gRPC, with a key of the call."""

    name = "grpc"

    def __init__(self, ports: Mapping[str, int], seed: int) -> None:
        super().__init__(ports, seed)
        self._channel: grpc.Channel | None = None

    def deliver(self, request: str, records: Sequence[str]) -> None:
        """Send log records."""
        if self._channel is None:
            self._channel = grpc.insecure_channel(f"127.0.0.1:{self.ports['grpc']}")
        service = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value="till"))])
        logs = [LogRecord(body=AnyValue(string_value=one)) for one in records]
        told = ExportLogsServiceRequest(
            resource_logs=[ResourceLogs(resource=service, scope_logs=[ScopeLogs(log_records=logs)])]
        )
        call = self._channel.unary_unary(EXPORT)
        try:
            call(told.SerializeToString(), timeout=PATIENCE_S, metadata=(("idempotency-key", request),))
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise RefusedError from None
            raise OSError(error.code()) from None

    def forget(self) -> None:
        """Close the channel: one that waits after failures would try again only after seconds."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None


class Forward(Client):
    """Fluentd's forward protocol, with chunks that are acknowledged."""

    name = "forward"

    def __init__(self, ports: Mapping[str, int], seed: int) -> None:
        super().__init__(ports, seed)
        self._socket: socket.socket | None = None

    def deliver(self, request: str, records: Sequence[str]) -> None:
        """Send a chunk."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.ports["forward"]), PATIENCE_S)
        entries = [[1_780_000_000, {"message": one}] for one in records]
        self._socket.sendall(msgpack.packb(["app.web", entries, {"chunk": request}]))
        answer = msgpack.Unpacker()
        while (said := next(answer, None)) is None:
            data = self._socket.recv(4096)
            if not data:
                raise EOFError
            answer.feed(data)
        assert said == {"ack": request}, said

    def forget(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Syslog(Client):
    """Syslog over TCP, where nothing is ever acknowledged, and nothing is sent again."""

    name = "syslog"

    def insist(self, records: Sequence[str]) -> bool:
        """Send records once, on a connection of their own."""
        try:
            with socket.create_connection(("127.0.0.1", self.ports["syslog_tcp"]), PATIENCE_S) as connection:
                self.sent += records
                connection.sendall("".join(f"<13>1 - web app - - - {one}\n" for one in records).encode())
                connection.shutdown(socket.SHUT_WR)
                self.ended = not connection.recv(1)
        except OSError:
            time.sleep(AGAIN_S)
        return True

    def afresh(self) -> None:
        """Send records before the receiver ends as it should: that they are taken then is all that is promised."""
        records = self.batch()
        self.ended = False
        self.insist(records)
        assert self.ended, "the receiver reads to the end what was sent"
        self.acknowledged += records


KINDS: tuple[type[Client], ...] = (Lines, Bulk, Otlp, Grpc, Forward, Syslog)
