"""Requests as shippers send them, of 1,000 records each, for what measures receiving."""
# ruff: noqa: S311 - the same records every time

from __future__ import annotations

import random
from itertools import islice
from typing import Any

import cramjam
import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

import data
from logshed.receivers.common.loki_push import message as loki_message

RECORDS = 1_000
SECOND = 1_795_701_600
RESOURCE = {"service.name": "shop", "host.name": "web-1", "k8s.pod.name": "shop-0"}


def lines() -> list[str]:
    """Lines of an access log."""
    return [line.rstrip("\n") for line in islice(data.access_lines(), RECORDS)]


def otlp() -> ExportLogsServiceRequest:
    """OTLP as an SDK sends it: half a dozen attributes each, trace ids in half of them."""
    draw = random.Random(data.SEED)
    exported = ExportLogsServiceRequest()
    of_resource = exported.resource_logs.add()
    for key, value in RESOURCE.items():
        of_resource.resource.attributes.add(key=key).value.string_value = value
    of_scope = of_resource.scope_logs.add()
    of_scope.scope.name = "shop.orders"
    for number, line in enumerate(lines()):
        record = of_scope.log_records.add(time_unix_nano=SECOND * 10**9 + number * 1_000_003)
        record.observed_time_unix_nano = record.time_unix_nano
        record.severity_number, record.severity_text = 9, "INFO"
        record.body.string_value = line
        record.attributes.add(key="http.request.method").value.string_value = "GET"
        record.attributes.add(key="url.path").value.string_value = f"/orders/{draw.randrange(10_000)}"
        record.attributes.add(key="http.response.status_code").value.int_value = draw.choice((200, 200, 404))
        record.attributes.add(key="client.address").value.string_value = f"192.0.2.{draw.randrange(256)}"
        record.attributes.add(key="user.id").value.string_value = f"u{draw.randrange(1000)}"
        record.attributes.add(key="duration").value.double_value = draw.random()
        if number % 2:
            record.trace_id, record.span_id = draw.randbytes(16), draw.randbytes(8)
    return exported


def otlp_json() -> bytes:
    """The same as JSON."""
    of_resource = otlp().resource_logs[0]
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
    return orjson.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": scopes}]})


def _pair(pair: Any) -> dict[str, Any]:
    kind = pair.value.WhichOneof("value")
    value = getattr(pair.value, kind)
    named = kind.replace("_value", "Value")
    return {"key": pair.key, "value": {named: str(value) if kind == "int_value" else value}}


def bulk() -> bytes:
    """Filebeat's documents; Elasticsearch gives the ids."""
    action = b'{"create":{"_index":"filebeat-8.17.0"}}\n'
    beat = {
        "input": {"type": "filestream"},
        "host": {"name": "web-1"},
        "agent": {"type": "filebeat", "version": "8.17.0", "name": "web-1", "id": "a", "ephemeral_id": "b"},
        "ecs": {"version": "8.0.0"},
    }
    file = {"path": "/var/log/nginx/access.log", "inode": "1", "device_id": "2"}
    return b"".join(
        action
        + orjson.dumps(
            {
                "@timestamp": "2026-11-26T14:00:00.000Z",
                "message": line,
                "log": {"offset": at * 100, "file": file},
                **beat,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for at, line in enumerate(lines())
    )


def loki(*, metadata: bool = False) -> bytes:
    """Promtail's push of two streams."""
    message = loki_message("Push")()
    texts = lines()
    for at, service in enumerate(("web", "shop")):
        stream = message.streams.add(labels=f'{{job="{service}", host="web-1", filename="/var/log/a"}}'.encode())
        for text in texts[at * RECORDS // 2 : (at + 1) * RECORDS // 2]:
            entry = stream.entries.add(line=text.encode())
            entry.timestamp.seconds = SECOND
            if metadata:
                entry.metadata.add(name=b"trace_id", value=b"4bf92f3577b34da6a3ce929d0e0e4736")
                entry.metadata.add(name=b"pod", value=b"web-1")
    return bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


def loki_json() -> bytes:
    """Loki's push as JSON."""
    values = [[f"{SECOND}000000000", one] for one in lines()]
    return orjson.dumps({"streams": [{"stream": {"job": "web"}, "values": values}]})


def events() -> list[bytes]:
    """Events of Splunk's HEC."""
    return [
        orjson.dumps({"time": SECOND + 0.5, "host": "web-1", "source": "/var/log/a", "event": one}) for one in lines()
    ]


def raw() -> bytes:
    """Lines as they are."""
    return ("\n".join(lines()) + "\n").encode()


def syslog() -> bytes:
    """Syslog messages (RFC 3164), an end behind each."""
    return b"".join(f"<134>Nov 26 12:00:00 web-1 nginx[77]: {line}\n".encode() for line in lines())
