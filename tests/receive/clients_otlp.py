"""OpenTelemetry's SDK for Python, which sends OTLP over HTTP and over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from tests.receive.content import EMAIL, MOMENT, NGINX, lines

if TYPE_CHECKING:
    from tests.receive.receiver import Receiver

TRACE, SPAN = 0x5B8EFFF798038103D269B633813FC60C, 0xEEE19B7EC3C1B174
SECOND = 10**9
RESOURCE = {
    "service.name": "shop",
    "service.namespace": "web",
    "host.name": "web-1",
    "deployment.environment.name": "live",
}
ATTRIBUTES: dict[str, Any] = {
    "user.id": "u9",
    "http.request.method": "POST",
    "http.response.status_code": 503,
    "url.path": "/orders/17",
    "retry": True,
    "share": 0.5,
    "count": 2**40,
    "sizes": [1, 2],
    "owner": EMAIL,
}


def exporter(receiver: Receiver, token: str, door: str, **more: Any) -> Any:
    """The exporter for a door, packing by gzip."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if door == "grpc":
        return GrpcExporter(
            endpoint=f"http://{receiver.at('grpc')}", insecure=True, headers=headers, compression=_gzip(), **more
        )
    url = receiver.url("/v1/logs")
    return HttpExporter(endpoint=url, headers=headers, compression=Compression.Gzip, **more)


def provider(exporting: Any, service: str = "shop", **more: Any) -> LoggerProvider:
    """The SDK with an exporter."""
    made = LoggerProvider(Resource({**RESOURCE, "service.name": service}))
    made.add_log_record_processor(BatchLogRecordProcessor(exporting, **more))
    return made


def send(receiver: Receiver, name: str) -> None:
    """Lines with and without attributes, an exception, a structured body, an access log of another service."""
    exporting = exporter(receiver, receiver.token(name), name.removeprefix("otlp_"))
    made = provider(exporting)
    logger = made.get_logger("shop.orders", "1.2.0")
    span = SpanContext(TRACE, SPAN, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    traced = set_span_in_context(NonRecordingSpan(span))
    for number, text in enumerate(lines(name)):
        logger.emit(
            LogRecord(
                timestamp=(MOMENT + number) * SECOND + 123_456_789,
                context=traced if number == 1 else None,
                severity_number=SeverityNumber.WARN,
                severity_text="Warning",
                body=text,
                attributes=ATTRIBUTES if number == 1 else {},
                event_name="order.paid" if number == 1 else None,
            )
        )
    logger.emit(LogRecord(timestamp=(MOMENT + 60) * SECOND, body={"order": 17, "items": ["a", 2, None]}))
    try:
        int("no such article")
    except ValueError as error:
        logger.emit(LogRecord(timestamp=(MOMENT + 61) * SECOND, body="it broke", exception=error))
    made.shutdown()
    front = provider(exporter(receiver, receiver.token(name), name.removeprefix("otlp_")), "front")
    front.get_logger("access").emit(LogRecord(timestamp=(MOMENT + 30) * SECOND, body=NGINX))
    front.shutdown()


def _gzip() -> Any:
    from grpc import Compression as GrpcCompression  # noqa: PLC0415 - another thing of the same name

    return GrpcCompression.Gzip
