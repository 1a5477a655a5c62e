"""Clients that send numbered records and send again, under the same id, what was not acknowledged."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Self

import grpc
import msgpack
import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty", "knoll", "lagoon")
NUMBERED = r"id=[a-z]+-[0-9]+ [a-z ]+\."
"""A record, in whatever a protocol makes of it."""
MOST, LONGEST = 12, 24
"""Records of a request, and words of a record."""
PAUSE_S, AGAIN_S = 0.2, 0.1
PATIENCE_S = 10.0
ACCEPTED = frozenset({200, 201})
FULL = frozenset({429, 503})


class RefusedError(Exception):
    """The door had no room."""


class Client:
    """A client of one protocol and one stream, in a thread of its own.

    Args:
        ports: Of the doors, by name.
        seed: Of what it sends.

    Attributes:
        sent: Every record that was ever sent.
        acknowledged: Those whose answer came, in the order in which they did.
        full: How often there was no room.
        again: How often a request was sent again.
    """

    name = ""
    longest, pause = LONGEST, PAUSE_S

    def __init__(self, ports: Mapping[str, int], seed: int) -> None:
        self.ports = ports
        self.sent: list[str] = []
        self.acknowledged: list[str] = []
        self.full = self.again = 0
        self.chance = random.Random(f"{self.name}{seed}")  # noqa: S311 - records, no secrets
        self._number = 0
        self._ending, self._given_up = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._wrong: AssertionError | None = None

    def deliver(self, request: str, records: Sequence[str]) -> None:
        """Send records and return once they are acknowledged.

        Raises:
            RefusedError: There was no room.
            OSError: They were not acknowledged.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what a process was talked to by that is gone."""

    def batch(self, most: int = MOST) -> list[str]:
        """The next records."""
        found = []
        for _ in range(self.chance.randint(1, most)):
            self._number += 1
            words = " ".join(self.chance.choices(WORDS, k=self.chance.randint(1, self.longest)))
            found.append(f"id={self.name}-{self._number:06d} {words}.")
        return found

    def insist(self, records: Sequence[str]) -> bool:
        """Send records until they are acknowledged; False where nobody waits for that any more."""
        self.sent += records
        request = f"{self.name}-{self._number}"
        while not self._given_up.is_set():
            try:
                self.deliver(request, records)
            except RefusedError:
                self.full += 1
            except (OSError, HTTPException, EOFError):
                self.forget()
            else:
                self.acknowledged += records
                return True
            self.again += 1
            time.sleep(AGAIN_S)
        return False

    def start(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def end(self, seconds: float = 30) -> None:
        """End once what was sent is acknowledged.

        Raises:
            AssertionError: It is not in time, or an answer was not as it should be.
        """
        self._ending.set()
        self._thread.join(seconds)
        stuck = self._thread.is_alive()
        self._given_up.set()
        self._thread.join()
        if self._wrong is not None:
            raise self._wrong
        assert not stuck, f"{self.name} waits for an answer"

    def afresh(self) -> None:
        """Send some more, which no crash disturbs."""
        self._given_up.clear()
        self.insist(self.batch())
        self.forget()

    def _run(self) -> None:
        try:
            while not self._ending.is_set() and self.insist(self.batch()):
                time.sleep(self.chance.uniform(0, self.pause))
        except AssertionError as error:
            self._wrong = error
        self.forget()


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
        lines = []
        for one in records:
            lines += [{"create": {"_index": "web", "_id": one.partition(" ")[0]}}, {"message": one}]
        return b"".join(orjson.dumps(line) + b"\n" for line in lines)


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


@dataclass
class Found:
    """What a lake has of the records that were sent.

    Attributes:
        records: In the order of their streams.
    """

    records: list[str]
    numbers: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = {}
        for one in self.records:
            name, number = re.match(r"id=([a-z]+)-([0-9]+)", one).groups()  # type: ignore[union-attr] # the query's
            self.numbers.setdefault(name, []).append(int(number))

    def check(self, clients: Sequence[Client]) -> None:
        """See that every promise was kept.

        Raises:
            AssertionError: One was not.
        """
        once = set(self.records)
        sent = {one for client in clients for one in client.sent}
        assert not once - sent, f"never sent, or not as it was: {sorted(once - sent)[:5]}"
        twice = sorted(one for one in once if self.records.count(one) > 1) if len(once) < len(self.records) else []
        assert not twice, f"stored twice: {len(twice)}, such as {twice[:5]}"
        for client in clients:
            lost = [one for one in client.acknowledged if one not in once]
            assert not lost, f"{client.name}: acknowledged and lost: {len(lost)}, such as {lost[:5]}"
            numbers = self.numbers.get(client.name, [])
            assert numbers == sorted(numbers), f"{client.name}: out of order"
