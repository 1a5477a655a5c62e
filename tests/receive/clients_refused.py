"""Real clients that may not do what they try: without a valid token, or with one for reading or other collections."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import orjson
from opentelemetry._logs import LogRecord
from tests.receive.clients_http import SIGNED_BY, post, signed
from tests.receive.clients_otlp import exporter, provider

if TYPE_CHECKING:
    from tests.receive.receiver import Receiver

WRONG = f"logshed_{'0' * 12}_{'0' * 64}"
JSON = {"content-type": "application/json"}


def refused(receiver: Receiver, name: str) -> dict[str, Any]:
    """What each is told."""
    reads, other = receiver.token(name, "read"), {"authorization": f"Splunk {receiver.token('another')}", **JSON}
    text = f"{name} sold nothing"
    push = orjson.dumps({"streams": [{"stream": {"job": "shop"}, "values": [["1714557600000000000", text]]}]})
    event = orjson.dumps({"event": text, "index": name})
    basic = {"authorization": other["authorization"].replace("Splunk", "Bearer"), "x-scope-orgid": name, **JSON}
    delivery = orjson.dumps({"action": text})
    return {
        "elasticsearch without a valid key": _elasticsearch(receiver, WRONG, text),
        "elasticsearch with a key that reads": _elasticsearch(receiver, reads, text),
        "OTLP over HTTP without a valid token": _otlp(receiver, WRONG, "http", text),
        "OTLP over gRPC without a valid token": _otlp(receiver, WRONG, "grpc", text),
        "Loki for another tenant": _posted(receiver, "/loki/api/v1/push", push, basic),
        "HEC for another index": _posted(receiver, "/services/collector", event, other),
        "a webhook with another signature": _posted(
            receiver, "/v1/webhook", delivery, signed(delivery, f"{SIGNED_BY}!")
        ),
    }


def _elasticsearch(receiver: Receiver, key: str, text: str) -> int:
    from elasticsearch import ApiError, Elasticsearch, helpers  # noqa: PLC0415 - as where it delivers

    with Elasticsearch(receiver.url(), api_key=("id", key)) as client:
        try:
            helpers.bulk(client, [{"_index": "shop", "message": text}])
        except ApiError as error:
            return int(error.meta.status)
    return 200


def _otlp(receiver: Receiver, token: str, door: str, text: str) -> str:
    """The code that the SDK's own log has."""
    said: list[str] = []

    class Keeps(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    handler = Keeps()
    log = logging.getLogger("opentelemetry.exporter.otlp.proto")
    log.addHandler(handler)
    try:
        made = provider(exporter(receiver, token, door))
        made.get_logger("x").emit(LogRecord(body=text))
        made.shutdown()
    finally:
        log.removeHandler(handler)
    codes = ("401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED")
    return next((code for code in codes for one in said if code in one), f"none: {said}")


def _posted(receiver: Receiver, path: str, body: bytes, headers: dict[str, str]) -> int:
    try:
        return post(receiver.url(path), body, headers)[0]
    except HTTPError as error:
        with error:
            return error.code
