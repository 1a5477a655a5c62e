"""Measures what receives: records a second. ``python benchmarks/receive.py decode``: the decoders alone, on one core.

Each decoder is given the same request again and again, as a client's batch has it: 1,000 records of an access log and
of services with half a dozen attributes each, trace ids in half of them. The figure is of CPU time, so that it holds
on a machine that does other things too; the best of several rounds, each long enough to tell.
"""
# ruff: noqa: S311 - the same records every time

from __future__ import annotations

import argparse
import random
import time
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

import data
from logshed.receivers import otlp
from logshed.receivers.model import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.receivers.model import Decoded

RECORDS = 1_000
ROUNDS, SECONDS = 5, 0.4
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def request(path: str, body: bytes, **headers: str) -> Request:
    """A request as a door hands it on."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(path, {}, named, body, "192.0.2.7", NOW)


def otlp_protobuf() -> tuple[Callable[[Request], Decoded], Request]:
    """OTLP as an SDK sends it."""
    return otlp.decode, request("/v1/logs", _otlp().SerializeToString(), content_type=otlp.PROTOBUF)


def otlp_json() -> tuple[Callable[[Request], Decoded], Request]:
    """The same as JSON."""
    return otlp.decode, request("/v1/logs", orjson.dumps(_as_json(_otlp())), content_type=otlp.JSON)


def _otlp() -> Any:
    draw = random.Random(data.SEED)
    exported = ExportLogsServiceRequest()
    of_resource = exported.resource_logs.add()
    for key, value in {"service.name": "shop", "host.name": "web-1", "k8s.pod.name": "shop-0"}.items():
        of_resource.resource.attributes.add(key=key).value.string_value = value
    of_scope = of_resource.scope_logs.add()
    of_scope.scope.name = "shop.orders"
    for number, line in enumerate(islice(data.access_lines(), RECORDS)):
        record = of_scope.log_records.add(time_unix_nano=1_767_225_600_000_000_000 + number * 1_000_003)
        record.observed_time_unix_nano = record.time_unix_nano
        record.severity_number, record.severity_text = 9, "INFO"
        record.body.string_value = line.rstrip("\n")
        record.attributes.add(key="http.request.method").value.string_value = "GET"
        record.attributes.add(key="url.path").value.string_value = f"/orders/{draw.randrange(10_000)}"
        record.attributes.add(key="http.response.status_code").value.int_value = draw.choice((200, 200, 404))
        record.attributes.add(key="client.address").value.string_value = f"192.0.2.{draw.randrange(256)}"
        record.attributes.add(key="user.id").value.string_value = f"u{draw.randrange(1000)}"
        record.attributes.add(key="duration").value.double_value = draw.random()
        if number % 2:
            record.trace_id, record.span_id = draw.randbytes(16), draw.randbytes(8)
    return exported


def _as_json(exported: Any) -> dict[str, Any]:
    of_resource = exported.resource_logs[0]
    of_scope = of_resource.scope_logs[0]
    records = [
        {
            "timeUnixNano": str(one.time_unix_nano),
            "observedTimeUnixNano": str(one.observed_time_unix_nano),
            "severityNumber": one.severity_number,
            "severityText": one.severity_text,
            "body": {"stringValue": one.body.string_value},
            "attributes": [_pair(pair) for pair in one.attributes],
            "traceId": one.trace_id.hex(),
            "spanId": one.span_id.hex(),
        }
        for one in of_scope.log_records
    ]
    resource = {"attributes": [_pair(pair) for pair in of_resource.resource.attributes]}
    scopes = [{"scope": {"name": of_scope.scope.name}, "logRecords": records}]
    return {"resourceLogs": [{"resource": resource, "scopeLogs": scopes}]}


def _pair(pair: Any) -> dict[str, Any]:
    kind = pair.value.WhichOneof("value")
    value = getattr(pair.value, kind)
    named = kind.replace("_value", "Value")
    return {"key": pair.key, "value": {named: str(value) if kind == "int_value" else value}}


DECODERS = {"OTLP protobuf": otlp_protobuf, "OTLP JSON": otlp_json}
"""By name, what makes a decoder and its request."""


def decode() -> None:
    """Print what each decoder does on one core."""
    for name, make in DECODERS.items():
        decoder, given = make()
        records = sum(part.records for part in decoder(given).parts)
        if records != RECORDS:
            raise AssertionError(name)
        best = max(_rate(decoder, given) for _ in range(ROUNDS)) * records
        print(f"{name:>16}: {best:>9,.0f} records/s, {best * len(given.body) / records / 1e6:>6.1f} MB/s")


def _rate(decoder: Callable[[Request], Decoded], given: Request) -> float:
    calls, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < SECONDS:
        decoder(given)
        calls += 1
    return calls / spent


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["decode"])
    parser.parse_args()
    decode()
