"""A canary's lines by OTLP, over HTTP and gRPC: the line is the body, as an SDK's logging handler sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.errors import DeliveryError
from logshed.pipeline import sink_otlp
from logshed.pipeline.canary_senders.model import INFO, SERVICE

if TYPE_CHECKING:
    from logshed.pipeline.canary_senders.model import Batch
    from logshed.pipeline.sinks import Sink


class Otlp:
    """Both transports."""

    acknowledges = True

    def __init__(self, sink: Sink) -> None:
        self._exporter = sink_otlp.opened(sink)

    def send(self, batch: Batch) -> None:
        """As in ``Sender``."""
        rejected = self._exporter.export(encoded(batch), batch.key)
        if rejected:
            raise DeliveryError(f"cannot send: {rejected:,} of {len(batch.texts):,} records were rejected; see its log")

    def close(self) -> None:
        """As in ``Sender``."""
        self._exporter.close()


def encoded(batch: Batch) -> bytes:
    """Lines as an ``ExportLogsServiceRequest``."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (  # noqa: PLC0415 - of the extra `receive`
        ExportLogsServiceRequest,
    )

    request = ExportLogsServiceRequest()
    of_resource = request.resource_logs.add()
    of_resource.resource.attributes.add(key="service.name").value.string_value = SERVICE
    records = of_resource.scope_logs.add().log_records
    for micros, text in zip(batch.micros, batch.texts, strict=True):
        nanos = micros * 1000
        record = records.add(time_unix_nano=nanos, observed_time_unix_nano=nanos, severity_number=INFO)
        record.body.string_value = text
    message: bytes = request.SerializeToString()
    return message


SENDERS = dict.fromkeys(("otlp+http", "otlp+https", "otlp+grpc", "otlp+grpcs"), Otlp)
