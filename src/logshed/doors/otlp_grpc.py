"""The door for OTLP over gRPC: ``LogsService/Export``, within limits and by a token."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from logshed import self_traces
from logshed.doors.decoding import name_of
from logshed.doors.senders import Sender, named
from logshed.errors import DoorError, LogshedError, OverloadedError, SpoolFullError
from logshed.receivers import otlp
from logshed.receivers.model import BadRequestError, Decoded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from logshed.doors.serving import Certificate

Take = Callable[[Decoded, Sender], Awaitable[None]]
"""Stores records of a sender, whose user is the token that was shown, and returns once they are on disk; raises
``BadRequestError`` to refuse."""
Admit = Callable[[Sender], Awaitable[None]]
"""Raises ``BadRequestError`` where a sender may not come in at all."""

SERVICE = "opentelemetry.proto.collector.logs.v1.LogsService"
_SCHEME = "bearer"
_LARGE = 65_536
"""Bytes of a message from which on it is decoded in a thread: others are answered meanwhile."""
_BY_STATUS = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_RETRIED = frozenset({grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a door bears.

    Attributes:
        message_bytes: Of a message, decompressed; reading one takes up to fifty times as much memory for a while.
        metadata_bytes: Of the headers of a call.
        connections: At once; more are closed.
        calls: At once of all connections; more are told to come again.
        calls_each: At once of one connection; its client waits with more.
        message_seconds: For a message to come in whole.
        handshake_seconds: For a connection to be made, TLS included.
        idle_seconds: After which a connection without calls is closed.
        ping_seconds: Between pings to a client that says nothing; one that does not answer is cut off.
        between_pings_seconds: That a client leaves between pings; one that does not is cut off.
        retry_seconds: After which a client is asked to come again.
    """

    message_bytes: int = 4 * 1024 * 1024
    metadata_bytes: int = 16 * 1024
    connections: int = 1_000
    calls: int = 64
    calls_each: int = 16
    message_seconds: float = 30
    handshake_seconds: float = 10
    idle_seconds: float = 300
    ping_seconds: float = 60
    between_pings_seconds: float = 10
    retry_seconds: float = 2


class _Failure(NamedTuple):
    """What a call is answered that fails."""

    code: grpc.StatusCode
    text: str
    after: float = 0.0


class GrpcDoor:
    """OTLP over gRPC on an address.

    Args:
        take: Stores records.
        admit: Who may come in, asked before a message is read; None is whoever reaches the address.
        listen: Host and port; port 0 takes a free one.
        certificate: To speak TLS.
        limits: What it bears.
    """

    connections = dropped = None

    def __init__(
        self,
        take: Take,
        admit: Admit | None = None,
        *,
        listen: str = "127.0.0.1:4317",
        certificate: Certificate | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._take = take
        self._admit = admit
        self._listen = listen
        self._certificate = certificate
        self._limits = limits or Limits()
        self._decoder = ThreadPoolExecutor(1, "otlp")  # a message may need many times its bytes: one after another
        self._calls = 0
        self._server: Any = None
        self.port = 0

    @property
    def addresses(self) -> list[str]:
        """Host and port, once it listens."""
        return [f"{self._listen.rpartition(':')[0]}:{self.port}"]

    async def start(self) -> None:
        """Listen.

        Raises:
            DoorError: The address is in use or is not of this machine, or the certificate cannot be read.
        """
        server = grpc.aio.server(options=_options(self._limits))
        # as a stream of one message, whose sender is known before it is read and who has no endless time for it
        export = grpc.stream_unary_rpc_method_handler(self._export)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": export}),))
        try:
            if self._certificate is None:
                self.port = server.add_insecure_port(self._listen)
            else:
                self.port = server.add_secure_port(self._listen, _credentials(self._certificate))
        except RuntimeError:
            raise DoorError(
                f"cannot listen on {self._listen}: it is in use or is no address of this machine; choose another"
            ) from None
        await server.start()
        self._server = server

    async def stop(self, grace_seconds: float) -> None:
        """Take no more calls, and end those that run after some time."""
        if self._server is not None:
            await self._server.stop(grace_seconds)
        self._decoder.shutdown(wait=False, cancel_futures=True)

    async def _export(self, messages: AsyncIterator[bytes], context: Any) -> bytes:
        failure = _Failure(grpc.StatusCode.UNAVAILABLE, "the records could not be stored; send them again later")
        try:
            with self_traces.span("receive", headers=_trace_of(context), protocol=otlp.NAME, door="grpc"):
                return await self._taken(messages, Sender(_peer(context), _token(context)), _texts(context))
        except BadRequestError as error:
            failure = _Failure(_BY_STATUS.get(error.status, grpc.StatusCode.INVALID_ARGUMENT), error.text)
        except SpoolFullError:
            failure = _Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "there is no room; send the records again later")
        except OverloadedError as error:
            text = "too much is sent at once; send the records again later"
            failure = _Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, text, error.after)
        except LogshedError as error:
            _log.error("%s", error)
        except Exception:  # noqa: BLE001 - a client drops what an unknown error answers; a fault of ours may be mended
            _log.exception("cannot take records by gRPC")
        await context.abort(failure.code, failure.text, self._trailer(failure))
        raise AssertionError(failure)

    async def _taken(self, messages: AsyncIterator[bytes], sender: Sender, metadata: Mapping[str, str]) -> bytes:
        if self._admit is not None:
            await self._admit(sender)
        if self._calls >= self._limits.calls:
            raise BadRequestError(429, "too many calls at once; send the records again later")
        self._calls += 1
        try:
            body = await self._message(messages)
            now = datetime.now(UTC)
            if len(body) < _LARGE:
                decoded = otlp.decode_export(body, now)
            else:
                decoded = await asyncio.get_running_loop().run_in_executor(self._decoder, otlp.decode_export, body, now)
            request = name_of(sender.user or sender.peer, SERVICE, body, metadata)
            del body
            await self._take(decoded, sender._replace(request=request))
            return otlp.answer_export(decoded)
        finally:
            self._calls -= 1

    async def _message(self, messages: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._limits.message_seconds):
                return await anext(messages)
        except TimeoutError:
            raise BadRequestError(408, "the message took too long to come in") from None
        except StopAsyncIteration:
            raise BadRequestError(400, "the call holds no message") from None

    def _trailer(self, failure: _Failure) -> tuple[tuple[str, bytes], ...]:
        """When to come again, which is what tells clients that they may."""
        if failure.code not in _RETRIED:
            return ()
        again = RetryInfo()
        again.retry_delay.FromNanoseconds(int((failure.after or self._limits.retry_seconds) * 1e9))
        status = Status(code=failure.code.value[0], message=failure.text)
        detail = AnyMessage()
        detail.Pack(again)
        status.details.append(detail)
        return (("grpc-status-details-bin", status.SerializeToString()),)


def _texts(context: Any) -> dict[str, str]:
    """The metadata of a call that is text."""
    return {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}


def _token(context: Any) -> str:
    """The token that a call carries; empty where it carries none."""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str):
            scheme, _, token = value.partition(" ")
            return token.strip() if scheme.lower() == _SCHEME else ""
    return ""


def _peer(context: Any) -> str:
    """The client's address, of which gRPC tells ``ipv4:192.0.2.1:50000`` or ``ipv6:[2001:db8::1]:50000``, escaped."""
    kind, _, rest = unquote(str(context.peer())).partition(":")
    return named(rest.rpartition(":")[0].strip("[]")) if kind in ("ipv4", "ipv6") else kind


def _trace_of(context: Any) -> dict[str, str]:
    """What a client says of its own trace."""
    return {
        name: value
        for name, value in context.invocation_metadata() or ()
        if name in ("traceparent", "tracestate") and isinstance(value, str)
    }


def _options(limits: Limits) -> list[tuple[str, int]]:
    def milliseconds(seconds: float) -> int:
        return int(seconds * 1000)

    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", limits.message_bytes),
        ("grpc.max_metadata_size", limits.metadata_bytes),
        ("grpc.absolute_max_metadata_size", limits.metadata_bytes),
        ("grpc.max_allowed_incoming_connections", limits.connections),
        ("grpc.max_concurrent_streams", limits.calls_each),
        ("grpc.server_handshake_timeout_ms", milliseconds(limits.handshake_seconds)),
        ("grpc.max_connection_idle_ms", milliseconds(limits.idle_seconds)),
        ("grpc.keepalive_time_ms", milliseconds(limits.ping_seconds)),
        ("grpc.keepalive_timeout_ms", milliseconds(limits.handshake_seconds)),
        ("grpc.http2.min_ping_interval_without_data_ms", milliseconds(limits.between_pings_seconds)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_ping_strikes", 2),
    ]


def _credentials(certificate: Certificate) -> Any:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate.file, certificate.key)
        pair = (certificate.key.read_bytes(), certificate.file.read_bytes())
    except OSError as error:
        raise DoorError(f"cannot use the certificate: {error}; give a certificate and its key as PEM files") from None
    return grpc.ssl_server_credentials([pair])
