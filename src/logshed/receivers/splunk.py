"""Splunk's HTTP Event Collector: events, raw lines, health, and acknowledgements by channel.

An event is the record's body, text as it is and anything else as JSON text; ``fields`` are its attributes. The index is
the collection that the client asks for, as it decides in Splunk who may read an event. A reply is sent when the events
are on disk, so every acknowledgement that is asked for has happened.
"""

from __future__ import annotations

from typing import Any

import orjson

from logshed.receivers.common.documents import BrokenError, attempt, concatenated, flat, put
from logshed.receivers.common.gather import Gather, asked, header, line, named, take_text
from logshed.receivers.common.records import bounded, nanoseconds, text_of
from logshed.receivers.common.times import since_1970
from logshed.receivers.model import BadRequestError, Decoded, Part, Refused, Reply, Request, Route

NAME = "splunk"
PATH = "/services/collector"
SEVERITIES = ("severity", "level", "log_level", "log.level")
NAMES = {"host": "host.name", "source": "com.splunk.source", "sourcetype": "com.splunk.sourcetype"}
"""What is said of an event beside its fields, under the names that the OpenTelemetry Collector gives it."""
NO_DATA, NOT_JSON = "No data", "Invalid data format"
WRONG_INDEX, NO_EVENT, BLANK_EVENT = "Incorrect index", "Event field is required", "Event field cannot be blank"
CODES = {NO_DATA: 5, NOT_JSON: 6, WRONG_INDEX: 7, NO_EVENT: 12, BLANK_EVENT: 13}
OF_STATUS = {
    401: ("Token is required", 2),
    403: ("Invalid token", 4),
    429: ("Server is busy", 9),
    503: ("Server is busy", 9),
}
_SECOND = 1_000_000_000
_JSON = {"Content-Type": "application/json"}
_EVENT = frozenset(("event", "fields", "time", "index", *NAMES))


def decode_events(request: Request) -> Decoded:
    """The events of a request, which follow each other with or without whitespace between.

    Raises:
        BadRequestError: There are none that can be decoded.
    """
    if not request.body.strip():
        raise BadRequestError(400, NO_DATA)
    found = concatenated(request.body)
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    bounded(len(found))
    gather, refused, now = Gather(), [], nanoseconds(request.now)
    for at, event in enumerate(found):
        failure = _failure(event)
        if failure:
            data = event.data if isinstance(event, BrokenError) else orjson.dumps(event)
            refused.append(Refused(at, failure, data))
            continue
        stream, collection = _place(event, request)
        gather.lines(stream, collection).append(_record(event, now))
    if refused and len(refused) == len(found):
        raise BadRequestError(400, refused[0].reason if refused[0].reason in CODES else NOT_JSON)
    return Decoded(gather.parts(), tuple(refused))


def decode_raw(request: Request) -> Decoded:
    """The lines of a raw request, as they are where the address says nothing of them.

    Raises:
        BadRequestError: There are none.
    """
    bounded(request.body.count(b"\n"))
    text = request.body.decode("utf-8", "replace")
    lines = [one.removesuffix("\r") for one in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    if not any(lines):
        raise BadRequestError(400, NO_DATA)
    bounded(len(lines))
    about = {key: request.query[key] for key in NAMES if request.query.get(key)}
    stream, collection = _place(about, request)
    if not about:
        plain = "\n".join((*lines, "")).encode()
        return Decoded((Part(stream, plain, len(lines), collection=collection),))
    gather, now = Gather(), nanoseconds(request.now)
    into = gather.lines(stream, collection)
    for one in filter(None, lines):
        into.append(_record({"event": one, **about}, now))
    return Decoded(gather.parts())


def _place(event: dict[str, Any], request: Request) -> tuple[str, str]:
    """The stream and the collection of an event."""
    stream = next((text_of(event[key]) for key in ("source", "sourcetype", "host") if event.get(key)), "")
    index = event.get("index") or request.query.get("index", "")
    return named(stream), asked(text_of(index))


def _failure(event: Any) -> str:
    if isinstance(event, BrokenError):
        return str(event)
    if not isinstance(event, dict):
        return NOT_JSON
    if event.get("event") is None:
        return NO_EVENT
    return BLANK_EVENT if event["event"] == "" else ""


def _record(event: dict[str, Any], now: int) -> bytes:
    record: dict[str, Any] = {}
    fields = event.get("fields")
    attributes = flat(fields) if isinstance(fields, dict) else {}
    moment = event.get("time")
    exact = _moment(moment)
    if exact is not None:
        record["time_unix_nano"] = exact
    elif moment is not None:
        put(attributes, "time", text_of(moment))
    record["observed_time_unix_nano"] = now
    record["body"] = text_of(event["event"])
    take_text(attributes, record, "severity_text", SEVERITIES)
    if resource := {NAMES[key]: text_of(event[key]) for key in NAMES if event.get(key) is not None}:
        record["resource"] = resource
    for key, value in event.items():
        if value is not None and (key not in _EVENT or (key == "fields" and not isinstance(value, dict))):
            put(attributes, key, text_of(value) if isinstance(value, (dict, list)) else value)
    if attributes:
        record["attributes"] = attributes
    return line(record)


def _moment(value: Any) -> int | None:
    """A time in seconds, which some clients send as text."""
    if isinstance(value, str):
        whole, _, fraction = value.strip().partition(".")
        if not (whole.isdigit() and whole.isascii() and len(whole) < 11) or (fraction and not fraction.isdecimal()):  # noqa: PLR2004 - the year 2286
            return None
        return since_1970(int(whole) * _SECOND + int(fraction[:9].ljust(9, "0") or 0), 1)
    return since_1970(value, _SECOND)


def _answer(request: Request, decoded: Decoded) -> Reply:
    del decoded
    said: dict[str, Any] = {"text": "Success", "code": 0}
    if _channel(request):
        said["ackId"] = nanoseconds(request.now) // 1000
    return Reply(200, orjson.dumps(said), _JSON)


def _channel(request: Request) -> str:
    return header(request, "x-splunk-request-channel") or request.query.get("channel", "")


def _acknowledge(request: Request, decoded: Decoded) -> Reply:
    """Every id that a client was given is of events that are on disk."""
    del decoded
    if not _channel(request):
        return _said("Data channel is missing", 10, 400)
    asked_for = attempt(request.body)
    acks = asked_for.get("acks") if isinstance(asked_for, dict) else None
    if not isinstance(acks, list):
        return _said(NOT_JSON, CODES[NOT_JSON], 400)
    bounded(len(acks))
    return Reply(200, orjson.dumps({"acks": {str(one): True for one in acks if isinstance(one, int)}}), _JSON)


def _health(request: Request, decoded: Decoded) -> Reply:
    """That there is a collector: Docker's driver asks for the options of an address, and sends where it is told 200."""
    del request, decoded
    return _said("HEC is healthy", 17, 200)


def _refuse(request: Request, status: int, text: str) -> Reply:
    del request
    if text in CODES:
        return _said(text, CODES[text], status)
    said, code = OF_STATUS.get(status, (text, CODES[NOT_JSON]))
    return _said(said, code, status)


def _said(text: str, code: int, status: int) -> Reply:
    return Reply(status, orjson.dumps({"text": text, "code": code}), _JSON)


ROUTES: tuple[Route, ...] = (
    *(Route(("OPTIONS",), PATH + end, None, _health, _refuse, open=True) for end in ("/event", "/event/1.0")),
    *(Route(("POST",), PATH + end, decode_events, _answer, _refuse) for end in ("", "/event", "/event/1.0")),
    *(Route(("POST",), PATH + end, decode_raw, _answer, _refuse) for end in ("/raw", "/raw/1.0")),
    *(Route(("GET",), PATH + end, None, _health, _refuse, open=True) for end in ("/health", "/health/1.0")),
    *(Route(("GET", "POST"), PATH + end, None, _acknowledge, _refuse) for end in ("/ack", "/ack/1.0")),
)
