"""OpenTelemetry's protocol for logs (OTLP): over HTTP in protobuf or JSON, and the calls of its gRPC service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)

from logshed.receivers.common import otlp_json, otlp_protobuf
from logshed.receivers.common.records import Streams, nanoseconds
from logshed.receivers.model import BadRequestError, Decoded, Reply, Request, Route

if TYPE_CHECKING:
    from datetime import datetime

NAME = "otlp"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
_CODES = {400: 3, 401: 16, 403: 7, 408: 4, 411: 3, 413: 3, 415: 3, 429: 8, 503: 14, 504: 4}
"""gRPC's code for an HTTP status, which stands in the body of an error; UNKNOWN for others."""
_UNKNOWN = 2
_REASONS = 3


def decode(request: Request) -> Decoded:
    """The records of a request over HTTP; its content type says how they are written.

    Raises:
        BadRequestError: The body is not what its content type says, or holds too many records.
    """
    kind = _kind(request)
    if kind == PROTOBUF:
        return decode_export(request.body, request.now)
    if kind != JSON:
        raise BadRequestError(415, f"the content type is neither {PROTOBUF} nor {JSON}")
    read = otlp_json.read_request(request.body)
    streams = Streams()
    refused = otlp_json.walk(read, nanoseconds(request.now), streams)
    return Decoded(streams.parts(), tuple(refused))


def decode_export(body: bytes, now: datetime) -> Decoded:
    """The records of a call of ``LogsService/Export``.

    Args:
        body: ``ExportLogsServiceRequest`` in protobuf.
        now: When it came, with a zone.

    Raises:
        BadRequestError: The body is no such message, or holds too many records.
    """
    streams = Streams()
    refused = otlp_protobuf.walk(body, nanoseconds(now), streams)
    return Decoded(streams.parts(), tuple(refused))


def answer_export(decoded: Decoded) -> bytes:
    """What the caller of ``LogsService/Export`` is told once its records are on disk."""
    if not decoded.refused:
        return b""  # an empty message is a whole success
    partial = ExportLogsPartialSuccess(rejected_log_records=len(decoded.refused), error_message=_told(decoded))
    answered: bytes = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    return answered


def answer(request: Request, decoded: Decoded) -> Reply:
    """What a client is told over HTTP once its records are on disk, written as its request was."""
    if _kind(request) == PROTOBUF:
        return Reply(200, answer_export(decoded), {"content-type": PROTOBUF})
    told = {"rejectedLogRecords": str(len(decoded.refused)), "errorMessage": _told(decoded)}
    return Reply(200, orjson.dumps({"partialSuccess": told} if decoded.refused else {}), {"content-type": JSON})


def refuse(request: Request, status: int, text: str) -> Reply:
    """What a client is told whose request is not taken: a ``google.rpc.Status``, written as its request was."""
    code = _CODES.get(status, _UNKNOWN)
    if _kind(request) == JSON:
        return Reply(status, orjson.dumps({"code": code, "message": text}), {"content-type": JSON})
    return Reply(status, Status(code=code, message=text).SerializeToString(), {"content-type": PROTOBUF})


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _told(decoded: Decoded) -> str:
    """Which records are not taken, and why: the first few."""
    few = "; ".join(f"record {one.index}: {one.reason}" for one in decoded.refused[:_REASONS])
    more = len(decoded.refused) - _REASONS
    return f"{few}; and {more} more" if more > 0 else few


ROUTES = (Route(("POST",), "/v1/logs", decode, answer, refuse),)
