"""OTLP over gRPC: the door takes what clients send by token and within limits, and tells them when to come again."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import orjson
import pytest
import trustme
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from tests.doors.pushing import until

from logshed.doors.otlp_grpc import GrpcDoor, Limits
from logshed.doors.serving import Certificate
from logshed.errors import DoorError, OverloadedError, SpoolError, SpoolFullError
from logshed.receivers.model import BadRequestError, Decoded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.doors.senders import Sender

TOKEN = "right"  # noqa: S105 - of a test
ASKED = (("authorization", f"Bearer {TOKEN}"),)


class Store:
    """Takes records, or fails as it is told to."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.tokens: list[str] = []
        self.peers: list[str] = []
        self.requests: list[str] = []
        self.fails: Exception | None = None
        self.slow = threading.Event()
        self.slow.set()

    async def take(self, decoded: Decoded, sender: Sender) -> None:
        """Keep the bodies, once it may."""
        self.tokens.append(sender.user)
        self.peers.append(sender.peer)
        self.requests.append(sender.request)
        await asyncio.to_thread(self.slow.wait, 10)
        if self.fails is not None:
            raise self.fails
        for part in decoded.parts:
            self.bodies += [orjson.loads(line)["body"] for line in part.lines.splitlines()]

    async def admit(self, sender: Sender) -> None:
        """Refuse a wrong token."""
        if sender.user != TOKEN:
            raise BadRequestError(401, "a valid token is needed")


@contextmanager
def served(store: Store, **how: Any) -> Iterator[int]:
    """A door in a thread, and its port."""
    how.setdefault("admit", store.admit)
    door = GrpcDoor(store.take, listen="127.0.0.1:0", **how)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(door.start(), loop).result(10)
        yield door.port
    finally:
        release = threading.Timer(0 if store.slow.is_set() else 0.2, store.slow.set)
        release.start()
        asyncio.run_coroutine_threadsafe(door.stop(5), loop).result(10)
        release.join()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def calling(port: int, **options: Any) -> Iterator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=list(options.items())) as channel:
        yield LogsServiceStub(channel).Export


def logs(*bodies: str) -> Any:
    sent = ExportLogsServiceRequest()
    records = sent.resource_logs.add().scope_logs.add().log_records
    for body in bodies:
        records.add().body.string_value = body
    return sent


def failing(export: Any, sent: Any, **how: Any) -> tuple[Any, float | None]:
    """The code that a call fails with, and after how many seconds it may be made again."""
    how.setdefault("metadata", ASKED)
    with pytest.raises(grpc.RpcError) as raised:
        export(sent, timeout=60, **how)
    trailers = {one.key: one.value for one in raised.value.trailing_metadata() or ()}
    if "grpc-status-details-bin" not in trailers:
        return raised.value.code(), None
    again = RetryInfo()
    status = Status.FromString(trailers["grpc-status-details-bin"])
    assert status.details[0].Unpack(again)
    assert status.code == raised.value.code().value[0]
    return raised.value.code(), again.retry_delay.ToNanoseconds() / 1e9


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_records_are_taken_with_the_token_that_sent_them(compression: grpc.Compression) -> None:
    store = Store()
    with served(store) as port, calling(port) as export:
        answered = export(logs("a", "b" * 100_000), metadata=ASKED, timeout=60, compression=compression)
    assert answered.partial_success.rejected_log_records == 0
    assert (store.bodies, store.tokens, store.peers) == (["a", "b" * 100_000], [TOKEN], ["127.0.0.1"])


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer wrong"),), (("authorization", f"Basic {TOKEN}"),)])
def test_a_call_without_a_valid_token_is_unauthenticated(metadata: Any) -> None:
    store = Store()
    with served(store) as port, calling(port) as export:
        assert failing(export, logs("a"), metadata=metadata) == (grpc.StatusCode.UNAUTHENTICATED, None)
    assert store.tokens == []


@pytest.mark.parametrize(
    ("error", "code", "again"),
    [
        (SpoolFullError("full"), grpc.StatusCode.RESOURCE_EXHAUSTED, 3.5),
        (OverloadedError("a rate", after=17.25), grpc.StatusCode.RESOURCE_EXHAUSTED, 17.25),
        (BadRequestError(429, "too quick"), grpc.StatusCode.RESOURCE_EXHAUSTED, 3.5),
        (BadRequestError(403, "not yours"), grpc.StatusCode.PERMISSION_DENIED, None),
        (BadRequestError(400, "no"), grpc.StatusCode.INVALID_ARGUMENT, None),
        (SpoolError("broken"), grpc.StatusCode.UNAVAILABLE, 3.5),
        (ZeroDivisionError("a fault"), grpc.StatusCode.UNAVAILABLE, 3.5),
    ],
)
def test_what_cannot_be_stored_now_may_be_sent_again_and_nothing_else(
    error: Exception, code: grpc.StatusCode, again: float | None
) -> None:
    store = Store()
    store.fails = error
    with served(store, limits=Limits(retry_seconds=3.5)) as port, calling(port) as export:
        assert failing(export, logs("a")) == (code, again)
        store.fails = None
        export(logs("b"), metadata=ASKED, timeout=60)
    assert store.bodies == ["b"]


def test_what_is_no_request_is_an_invalid_argument() -> None:
    store = Store()
    with served(store) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        raw = channel.unary_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        assert failing(raw, b"\xff\xff") == (grpc.StatusCode.INVALID_ARGUMENT, None)
        none = channel.stream_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        assert failing(none, iter(())) == (grpc.StatusCode.INVALID_ARGUMENT, None)
        other = channel.unary_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Other")
        assert failing(other, b"") == (grpc.StatusCode.UNIMPLEMENTED, None)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_message_that_is_too_large_is_refused_however_small_it_was_on_the_way(compression: grpc.Compression) -> None:
    store = Store()
    with served(store, limits=Limits(message_bytes=100_000)) as port, calling(port) as export:
        assert failing(export, logs("a" * 100_001), compression=compression)[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
        export(logs("a" * 90_000), metadata=ASKED, timeout=60, compression=compression)
    assert len(store.bodies) == 1


def test_headers_that_are_too_large_are_refused() -> None:
    store = Store()
    with served(store, limits=Limits(metadata_bytes=4096)) as port, calling(port) as export:
        code, _ = failing(export, logs("a"), metadata=(*ASKED, ("x", "y" * 8192)))
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
        export(logs("a"), metadata=ASKED, timeout=60)


def test_more_calls_at_once_than_the_door_bears_are_told_to_come_again() -> None:
    store = Store()
    store.slow.clear()
    with served(store, limits=Limits(calls=2)) as port, calling(port) as export:
        waiting = [export.future(logs(str(number)), metadata=ASKED, timeout=60) for number in range(2)]
        until(lambda: len(store.tokens) == 2)
        assert failing(export, logs("third")) == (grpc.StatusCode.RESOURCE_EXHAUSTED, Limits().retry_seconds)
        store.slow.set()
        for one in waiting:
            one.result(60)
        export(logs("third"), metadata=ASKED, timeout=60)
    assert sorted(store.bodies) == ["0", "1", "third"]


def test_a_message_that_does_not_come_in_is_waited_for_no_longer_than_it_may() -> None:
    store = Store()
    gone = threading.Event()

    def never() -> Iterator[bytes]:
        gone.wait(10)
        yield b""

    with ExitStack() as stack:
        port = stack.enter_context(served(store, limits=Limits(message_seconds=0.2)))
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            slow = channel.stream_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
            assert failing(slow, never()) == (grpc.StatusCode.DEADLINE_EXCEEDED, None)
            gone.set()
    assert store.tokens == []


def test_a_connection_beyond_those_that_the_door_bears_is_closed() -> None:
    store = Store()
    with served(store, limits=Limits(connections=2)) as port, calling(port) as export:
        export(logs("a"), metadata=ASKED, timeout=60)
        with (
            socket.create_connection(("127.0.0.1", port), 5),
            socket.create_connection(("127.0.0.1", port), 5) as other,
        ):
            other.settimeout(60)
            closed = b""
            try:
                while some := other.recv(4096):
                    closed += some
            except ConnectionResetError:
                pass
        export(logs("b"), metadata=ASKED, timeout=60)
    assert store.bodies == ["a", "b"]


def test_a_client_that_makes_no_call_is_cut_off() -> None:
    with served(Store(), limits=Limits(handshake_seconds=0.3)) as port:
        with socket.create_connection(("127.0.0.1", port), 5) as silent:
            silent.settimeout(60)
            begun = time.monotonic()
            while silent.recv(4096):
                pass
        assert time.monotonic() - begun < 30


def test_a_client_that_pings_all_the_time_is_cut_off() -> None:
    frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    ping = bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + bytes(8)
    with served(Store()) as port, socket.create_connection(("127.0.0.1", port), 5) as client:
        client.settimeout(60)
        client.sendall(frames + ping * 10)
        heard = b""
        while some := client.recv(4096):
            heard += some
    assert b"too_many_pings" in heard


def test_with_a_certificate_the_door_speaks_tls(tmp_path: Path) -> None:
    store = Store()
    ca = trustme.CA()
    issued = ca.issue_cert("localhost")
    certificate = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    issued.private_key_pem.write_to_path(certificate.key)
    for blob in issued.cert_chain_pems:
        blob.write_to_path(certificate.file, append=True)
    with served(store, certificate=certificate) as port:
        trusted = grpc.ssl_channel_credentials(ca.cert_pem.bytes())
        with grpc.secure_channel(f"localhost:{port}", trusted) as channel:
            LogsServiceStub(channel).Export(logs("a"), metadata=ASKED, timeout=60)
        with calling(port) as export:
            assert failing(export, logs("b"))[0] == grpc.StatusCode.UNAVAILABLE
    assert store.bodies == ["a"]


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("none")
    for certificate in (Certificate(file, file), Certificate(tmp_path / "gone", file)):
        door = GrpcDoor(Store().take, listen="127.0.0.1:0", certificate=certificate)
        with pytest.raises(DoorError, match=r"cannot use the certificate: .*; give a certificate and its key"):
            asyncio.run(door.start())


def test_an_address_in_use_is_told() -> None:
    with served(Store()) as port:
        door = GrpcDoor(Store().take, listen=f"127.0.0.1:{port}")
        with pytest.raises(DoorError, match=f"cannot listen on 127.0.0.1:{port}: it is in use or is no address"):
            asyncio.run(door.start())


def test_a_call_that_runs_when_the_door_closes_is_answered() -> None:
    store = Store()
    store.slow.clear()
    with ExitStack() as clients:
        with served(store) as port:
            export = clients.enter_context(calling(port))
            waiting = export.future(logs("a"), metadata=ASKED, timeout=60)
            until(lambda: len(store.tokens) == 1)
        assert waiting.code() == grpc.StatusCode.OK
        assert failing(export, logs("b"))[0] == grpc.StatusCode.UNAVAILABLE
    assert store.bodies == ["a"]


def test_a_call_that_is_made_again_is_known_by_its_key_and_its_message() -> None:
    store = Store()
    with served(store) as port, calling(port) as export:
        for key, body in [("one", "a"), ("one", "a"), ("two", "a"), ("one", "b"), ("", "a")]:
            named = (("idempotency-key", key),) if key else ()
            export(logs(body), timeout=60, metadata=(*ASKED, *named))
    first, again, *others = store.requests
    assert first == again
    assert first
    assert len({first, *others}) == 4
    assert others[-1] == ""
