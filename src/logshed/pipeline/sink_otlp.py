"""Sends log records by OTLP, over HTTP and over gRPC; both take the protocol's message and tell what was not taken."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Protocol

from logshed.alerts.common.http import Poster
from logshed.errors import DeliveryError, UsageError
from logshed.pipeline.sinks import delivering

if TYPE_CHECKING:
    from logshed.pipeline.sinks import Sink

HTTP_PORT, GRPC_PORT = 4318, 4317
PATH = "/v1/logs"
METHOD = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
SECONDS = 30.0
_AGAIN = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "DATA_LOSS"})
"""gRPC's codes after which OTLP has a client send again."""
_BAD, _TOO_LARGE = 400, 413


class Exporter(Protocol):
    """Sends messages."""

    def export(self, message: bytes, key: str = "") -> int:
        """Send an ``ExportLogsServiceRequest``.

        Args:
            message: Its bytes.
            key: What tells it from others; the same where it is sent again.

        Returns:
            Its records that were not taken, and need not be sent again.

        Raises:
            DeliveryError: It was not taken.
        """
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Http:
    """OTLP over HTTP, compressed."""

    def __init__(self, sink: Sink) -> None:
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        if sink.token:
            headers["Authorization"] = f"Bearer {sink.token}"
        self._poster = Poster(sink.url(HTTP_PORT, PATH), headers=headers, ca_file=sink.ca_file)

    def export(self, message: bytes, key: str = "") -> int:
        """As in ``Exporter``."""
        with delivering():
            answer = self._poster.post(gzip.compress(message, 1), {"Idempotency-Key": key} if key else None)
        return _rejected(answer)

    def close(self) -> None:
        """As in ``Exporter``."""
        self._poster.close()


class Grpc:
    """OTLP over gRPC, compressed."""

    def __init__(self, sink: Sink) -> None:
        import grpc  # noqa: PLC0415 - of the extra `receive`

        self._grpc: Any = grpc
        self._name = sink.netloc(GRPC_PORT)
        if sink.secure:
            roots = sink.ca_file.read_bytes() if sink.ca_file else None
            self._channel = grpc.secure_channel(self._name, grpc.ssl_channel_credentials(roots))
        else:
            self._channel = grpc.insecure_channel(self._name)
        self._call = self._channel.unary_unary(METHOD)
        self._metadata = (("authorization", f"Bearer {sink.token}"),) if sink.token else ()

    def export(self, message: bytes, key: str = "") -> int:
        """As in ``Exporter``."""
        metadata = (*self._metadata, ("idempotency-key", key)) if key else self._metadata
        try:
            answer = self._call(message, SECONDS, metadata, compression=self._grpc.Compression.Gzip)
        except self._grpc.RpcError as error:
            raise self._told(error) from None
        return _rejected(answer)

    def close(self) -> None:
        """As in ``Exporter``."""
        self._channel.close()

    def _told(self, error: Any) -> DeliveryError:
        code = error.code().name
        large = "larger than max" in (error.details() or "")  # as the library words it, which has no code for it
        retry = code in _AGAIN and not large
        advice = "it may be over soon" if retry else "check the address and its rights"
        return DeliveryError(
            f"cannot send to {self._name}: it answered {code}; {advice}",
            retry=retry,
            after=_after(error.trailing_metadata() or ()),
            status=_TOO_LARGE if large else _BAD if code == "INVALID_ARGUMENT" else 0,
        )


def opened(sink: Sink) -> Exporter:
    """What sends to an address of ``otlp+http``, ``otlp+https``, ``otlp+grpc`` or ``otlp+grpcs``.

    Raises:
        UsageError: The packages that it needs are missing.
    """
    try:
        import opentelemetry.proto.collector.logs.v1  # noqa: F401, PLC0415 - of the extra `receive`

        return Http(sink) if sink.transport in {"http", "https"} else Grpc(sink)
    except ImportError as error:
        raise UsageError(f"cannot send OTLP: {error.name} is not installed; pip install 'logshed[receive]'") from None


def _rejected(answer: bytes) -> int:
    """How many records were not taken, as the answer says; what is no such answer says nothing."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - of the extra `receive`
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2  # noqa: PLC0415 - of the extra `receive`

    try:
        found = logs_service_pb2.ExportLogsServiceResponse.FromString(answer)
    except DecodeError:
        return 0
    return int(found.partial_success.rejected_log_records)


def _after(trailer: Any) -> float | None:
    """The seconds that ``RetryInfo`` in a trailer asks for."""
    from google.rpc.error_details_pb2 import RetryInfo  # noqa: PLC0415 - of the extra `receive`
    from google.rpc.status_pb2 import Status  # noqa: PLC0415 - of the extra `receive`

    for key, value in trailer:
        if key == "grpc-status-details-bin":
            info = RetryInfo()
            for detail in Status.FromString(value).details:
                if detail.Unpack(info):
                    return float(info.retry_delay.ToNanoseconds()) / 1e9
    return None
