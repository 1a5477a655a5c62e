"""OTLP logs become lines: in protobuf and in JSON the same ones, and whatever is sent is answered."""

from __future__ import annotations

import math
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pytest
from google.rpc.status_pb2 import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from logshed.formats.detect import detect
from logshed.formats.parse import parse
from logshed.receivers import otlp
from logshed.receivers.model import MOST_RECORDS, BadRequestError, Decoded, Request

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOW_NANOS = 1_767_225_600_000_000_000
MOMENT = 1_714_557_600_123_456_789
KINDS = {"protobuf": otlp.PROTOBUF, "json": otlp.JSON}


def request(body: bytes, kind: str = otlp.JSON) -> Request:
    return Request("/v1/logs", {}, {"content-type": kind}, body, "192.0.2.7", NOW)


def lines(decoded: Decoded) -> list[dict[str, Any]]:
    return [orjson.loads(line) for part in decoded.parts for line in part.lines.splitlines()]


def of_json(*records: Any, resource: Any = None, scope: Any = None) -> Decoded:
    scopes = [{"scope": scope, "logRecords": records}]
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": scopes}]}
    return otlp.decode(request(orjson.dumps(body)))


def exported() -> Any:
    sent = ExportLogsServiceRequest()
    of_resource = sent.resource_logs.add(schema_url="https://example.org/schemas/1.2.0")
    of_resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    of_scope = of_resource.scope_logs.add()
    of_scope.scope.name, of_scope.scope.version = "shop.orders", "1.2.0"
    of_scope.scope.attributes.add(key="team").value.string_value = "core"
    record = of_scope.log_records.add(
        time_unix_nano=MOMENT, observed_time_unix_nano=MOMENT + 1, severity_number=17, severity_text="Error", flags=1
    )
    record.event_name, record.dropped_attributes_count = "order.failed", 2
    record.trace_id, record.span_id = bytes(range(16)), bytes(range(8))
    record.body.string_value = "failed\nagain"
    record.attributes.add(key="n").value.int_value = -(2**63)
    record.attributes.add(key="share").value.double_value = 0.5
    record.attributes.add(key="retry").value.bool_value = False
    record.attributes.add(key="raw").value.bytes_value = b"\xff\x00"
    record.attributes.add(key="nothing")
    tags = record.attributes.add(key="tags").value.array_value
    tags.values.add().string_value = "a"
    inner = tags.values.add().kvlist_value
    inner.values.add(key="k").value.int_value = 1
    return sent


WANTED = {
    "time_unix_nano": MOMENT,
    "observed_time_unix_nano": MOMENT + 1,
    "severity_number": 17,
    "severity_text": "Error",
    "body": "failed\nagain",
    "event_name": "order.failed",
    "trace_id": "000102030405060708090a0b0c0d0e0f",
    "span_id": "0001020304050607",
    "flags": 1,
    "scope": {"name": "shop.orders", "version": "1.2.0", "team": "core"},
    "resource": {"service.name": "shop", "schema_url": "https://example.org/schemas/1.2.0"},
    "attributes": {
        "n": -(2**63),
        "share": 0.5,
        "retry": False,
        "raw": "/wA=",
        "nothing": None,
        "tags": '["a",{"k":1}]',
        "otel.dropped_attributes_count": 2,
    },
}


def test_a_record_in_protobuf_is_one_line_with_all_that_it_says() -> None:
    decoded = otlp.decode(request(exported().SerializeToString(), otlp.PROTOBUF))
    assert lines(decoded) == [WANTED]
    assert [(part.stream, part.records, part.format) for part in decoded.parts] == [("shop", 1, "received/")]
    assert decoded.parts[0].lines.endswith(b"}\n")


def test_the_same_record_in_json_is_the_same_line() -> None:
    assert lines(otlp.decode(request(as_json(exported())))) == [WANTED]


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_parted_by_their_service_and_keep_their_order(kind: str) -> None:
    sent = ExportLogsServiceRequest()
    for service, body in (("a", "1"), ("b", "2"), ("a", "3")):
        of_resource = sent.resource_logs.add()
        of_resource.resource.attributes.add(key="service.name").value.string_value = service
        of_resource.scope_logs.add().log_records.add().body.string_value = body
    sent.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "4"
    named_by_host = sent.resource_logs.add()
    named_by_host.resource.attributes.add(key="host.name").value.string_value = "web-1\n" + "x" * 500
    named_by_host.scope_logs.add().log_records.add().body.string_value = "5"
    body = sent.SerializeToString() if kind == "protobuf" else as_json(sent)
    decoded = otlp.decode(request(body, KINDS[kind]))
    found = {part.stream: [orjson.loads(line)["body"] for line in part.lines.splitlines()] for part in decoded.parts}
    assert found == {"a": ["1", "3"], "b": ["2"], "unknown_service": ["4"], ("web-1" + "x" * 500)[:200]: ["5"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_that_does_not_say_when_it_was_observed_was_so_now(kind: str) -> None:
    sent = ExportLogsServiceRequest()
    sent.resource_logs.add().scope_logs.add().log_records.add()
    body = sent.SerializeToString() if kind == "protobuf" else as_json(sent)
    assert lines(otlp.decode(request(body, KINDS[kind]))) == [{"observed_time_unix_nano": NOW_NANOS}]


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_comes_again_loses_no_value(kind: str) -> None:
    sent = ExportLogsServiceRequest()
    record = sent.resource_logs.add().scope_logs.add().log_records.add()
    for key, value in (("a", "1"), ("a.1", "real"), ("a", "2"), ("a", "3")):
        record.attributes.add(key=key).value.string_value = value
    body = sent.SerializeToString() if kind == "protobuf" else as_json(sent)
    found = lines(otlp.decode(request(body, KINDS[kind])))[0]["attributes"]
    assert found == {"a.1": "real", "a.2": "1", "a.3": "2", "a": "3"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("string_value", "", ""),
        ("int_value", 7, "7"),
        ("bool_value", True, "true"),
        ("bytes_value", b'192.0.2.7 - "\xc3\xa4"', '192.0.2.7 - "ä"'),
        ("bytes_value", b"\xff", "/w=="),
        ("double_value", math.nan, "NaN"),
        ("double_value", -math.inf, "-Infinity"),
    ],
)
def test_a_body_that_is_no_text_is_written_as_such(kind: str, field: str, value: Any, text: str) -> None:
    sent = ExportLogsServiceRequest()
    setattr(sent.resource_logs.add().scope_logs.add().log_records.add().body, field, value)
    body = sent.SerializeToString() if kind == "protobuf" else as_json(sent)
    assert lines(otlp.decode(request(body, KINDS[kind])))[0]["body"] == text


def test_text_in_protobuf_that_is_no_utf_8_is_kept_with_replacements() -> None:
    sent = (
        exported().SerializeToString().replace(b"failed\nagain", b"faile\xff\nagain").replace(b"retry", b"r\xc3\x28ry")
    )
    line = lines(otlp.decode(request(sent, otlp.PROTOBUF)))[0]
    assert line["body"] == "faile\ufffd\nagain"
    assert line["attributes"]["r\ufffd(ry"] is False
    assert line["attributes"]["raw"] == "/wA="
    assert line["trace_id"] == WANTED["trace_id"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"a\ud800b", "a\ufffdb"),
        (rb"\ude00", "\ufffd"),
        (rb"\ud83d\ude00", "😀"),
        (rb"\\ud800\ud800", "\\ud800\ufffd"),
        (b"a\xffb", "a\ufffdb"),
    ],
)
def test_text_in_json_that_is_none_is_kept_with_replacements(written: bytes, read: str) -> None:
    records = b'{"body":{"stringValue":"%s"}},{"body":{"stringValue":"\xff"}}' % written
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[%s]}]}]}' % records
    assert [line["body"] for line in lines(otlp.decode(request(body)))] == [read, "\ufffd"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (7, "it is no object"),
        ({"timeUnixNano": "soon"}, "timeUnixNano is no whole number"),
        ({"timeUnixNano": "9" * 5000}, "timeUnixNano is no whole number"),
        ({"severityNumber": True}, "severityNumber is no whole number"),
        ({"severityText": 7}, "severityText is no text"),
        ({"traceId": ["a"]}, "traceId is no text"),
        ({"body": "text"}, "a value is no object"),
        ({"body": {"stringValue": 7}}, "a stringValue or bytesValue is no text"),
        ({"body": {"boolValue": "true"}}, "a boolValue is neither true nor false"),
        ({"body": {"doubleValue": "x"}}, "a doubleValue is no number"),
        ({"body": {"arrayValue": {"values": 7}}}, "an arrayValue holds no list"),
        ({"attributes": {"a": 1}}, "attributes are no list"),
        ({"attributes": [7]}, "an attribute is no object"),
        ({"attributes": [{"key": 7}]}, "a key is no text"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_and_the_others_are_taken(record: Any, reason: str) -> None:
    decoded = of_json({"body": {"stringValue": "before"}}, record, {"body": {"stringValue": "after"}})
    assert [line["body"] for line in lines(decoded)] == ["before", "after"]
    assert [(one.index, one.reason, orjson.loads(one.data)) for one in decoded.refused] == [(1, reason, record)]


@pytest.mark.parametrize("depth", [63, 64])
def test_a_value_of_64_levels_is_taken_and_a_deeper_one_refused(depth: int) -> None:
    value: Any = {"stringValue": "x"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    decoded = of_json({"body": value})
    assert (len(lines(decoded)), len(decoded.refused)) == ((1, 0) if depth < 64 else (0, 1))


def test_numbers_that_no_column_holds_are_kept_as_text() -> None:
    large, double = {"intValue": "9" * 30}, {"doubleValue": "Infinity"}
    decoded = of_json({"attributes": [{"key": "large", "value": large}, {"key": "double", "value": double}]})
    assert lines(decoded)[0]["attributes"] == {"large": "9" * 30, "double": "Infinity"}


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_zeros_are_none(kind: str) -> None:
    sent = ExportLogsServiceRequest()
    sent.resource_logs.add().scope_logs.add().log_records.add(trace_id=bytes(16), span_id=b"\1" * 8)
    body = sent.SerializeToString() if kind == "protobuf" else as_json(sent)
    assert lines(otlp.decode(request(body, KINDS[kind]))) == [
        {"observed_time_unix_nano": NOW_NANOS, "span_id": "01" * 8}
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_with_too_many_records_is_refused_whole(kind: str) -> None:
    sent = ExportLogsServiceRequest()
    records = sent.resource_logs.add().scope_logs.add().log_records
    for _ in range(MOST_RECORDS + 1):
        records.add()
    body = sent.SerializeToString()
    if kind == "json":
        body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}%s]}]}]}' % (b",{}" * MOST_RECORDS)
    with pytest.raises(BadRequestError, match="more than 100000 records; send fewer at once") as raised:
        otlp.decode(request(body, KINDS[kind]))
    assert raised.value.status == 413


NO_REQUESTS = (
    *(b"", b"{", b"[]", b"null", b"7", b'{"a":NaN}', b"[" * 100_000, b'{"a":' * 100_000),
    *(b'{"resourceLogs":7}', b'{"resourceLogs":[7]}', b'{"resourceLogs":[{"scopeLogs":7}]}'),
    b'{"resourceLogs":[{"scopeLogs":[{"logRecords":{}}]}]}',
    b'{"resourceLogs":[{"resource":7,"scopeLogs":[]}]}',
    b'{"resourceLogs":[{"resource":{"attributes":[7]}}]}',
)


@pytest.mark.parametrize("body", NO_REQUESTS)
def test_json_that_is_no_request_is_refused_whole(body: bytes) -> None:
    with pytest.raises(BadRequestError) as raised:
        otlp.decode(request(body))
    assert raised.value.status == 400


def test_protobuf_that_is_no_request_is_refused_whole() -> None:
    deep = b""
    for _ in range(200):  # an array in an array
        deep = b"\x0a" + _varint(len(deep)) + deep
        deep = b"\x2a" + _varint(len(deep)) + deep
    record = b"\x2a" + _varint(len(deep)) + deep
    for tag in (b"\x12", b"\x12", b"\x0a"):
        record = tag + _varint(len(record)) + record
    for body in (b"\x0a", b"\x0a\x05\x12", b"\xff" * 20, record, b"\x0a\xff\xff\xff\xff\x0f"):
        with pytest.raises(BadRequestError) as raised:
            otlp.decode(request(body, otlp.PROTOBUF))
        assert raised.value.status == 400


def test_a_large_request_is_read_as_a_small_one_is() -> None:
    sent = ExportLogsServiceRequest()
    for _ in range(6):
        sent.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "x" * 100_000
    decoded = otlp.decode(request(sent.SerializeToString(), otlp.PROTOBUF))
    assert [len(line["body"]) for line in lines(decoded)] == [100_000] * 6
    with pytest.raises(BadRequestError, match="no ExportLogsServiceRequest"):
        otlp.decode(request(sent.SerializeToString()[:-1], otlp.PROTOBUF))


@pytest.mark.parametrize("tags", [b"", b"\x0a", b"\x0a\x12"])
def test_a_request_of_millions_of_empty_messages_is_refused_before_they_are_made(tags: bytes) -> None:
    body = (b"\x12" if tags else b"\x0a") + b"\0"
    body *= 1_000_000
    for tag in reversed(tags):
        body = bytes([tag]) + _varint(len(body)) + body
    with pytest.raises(BadRequestError) as raised:
        otlp.decode(request(body, otlp.PROTOBUF))
    assert raised.value.status == 413


def _varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes([number % 128 | 128])
        number //= 128
    return found + bytes([number])


def test_a_content_type_that_is_neither_is_refused() -> None:
    for kind in ("", "text/plain"):
        with pytest.raises(BadRequestError) as raised:
            otlp.decode(request(b"", kind))
        assert raised.value.status == 415
    assert otlp.decode(request(b"{}", "Application/JSON; charset=utf-8")) == Decoded(())


def test_a_whole_success_is_an_empty_message() -> None:
    for kind, body in ((otlp.PROTOBUF, b""), (otlp.JSON, b"{}")):
        reply = otlp.answer(request(b"", kind), Decoded(()))
        assert (reply.status, reply.body, reply.headers) == (200, body, {"content-type": kind})


def test_a_partial_success_says_how_many_records_are_not_taken_and_why() -> None:
    decoded = of_json(*[7] * 5)
    reply = otlp.answer(request(b""), decoded)
    told = "record 0: it is no object; record 1: it is no object; record 2: it is no object; and 2 more"
    assert orjson.loads(reply.body) == {"partialSuccess": {"rejectedLogRecords": "5", "errorMessage": told}}
    in_protobuf = ExportLogsServiceResponse.FromString(otlp.answer_export(decoded)).partial_success
    assert (in_protobuf.rejected_log_records, in_protobuf.error_message) == (5, told)


def test_a_refusal_is_a_status_written_as_the_request_was() -> None:
    reply = otlp.refuse(request(b"", otlp.PROTOBUF), 429, "full")
    status = Status.FromString(reply.body)
    assert (reply.status, status.code, status.message) == (429, 8, "full")
    assert orjson.loads(otlp.refuse(request(b""), 503, "closed").body) == {"code": 14, "message": "closed"}


def as_json(sent: Any) -> bytes:
    """The request as the protocol's JSON has it, made independently of what reads it."""
    return orjson.dumps({"resourceLogs": [_resource(one) for one in sent.resource_logs]})


def _resource(one: Any) -> dict[str, Any]:
    resource = {"attributes": _pairs(one.resource.attributes)}
    scopes = [
        {
            "scope": {
                "name": each.scope.name,
                "version": each.scope.version,
                "attributes": _pairs(each.scope.attributes),
            },
            "logRecords": [_record(record) for record in each.log_records],
        }
        for each in one.scope_logs
    ]
    return {"resource": resource, "scopeLogs": scopes, "schemaUrl": one.schema_url}


def _record(one: Any) -> dict[str, Any]:
    return {
        "timeUnixNano": str(one.time_unix_nano),
        "observedTimeUnixNano": str(one.observed_time_unix_nano),
        "severityNumber": one.severity_number,
        "severityText": one.severity_text,
        "eventName": one.event_name,
        "body": _value(one.body),
        "attributes": _pairs(one.attributes),
        "droppedAttributesCount": one.dropped_attributes_count,
        "flags": one.flags,
        "traceId": one.trace_id.hex().upper(),
        "spanId": one.span_id.hex(),
        "aFieldOfALaterVersion": 1,
    }


def _pairs(attributes: Any) -> list[dict[str, Any]]:
    return [{"key": one.key, "value": _value(one.value)} for one in attributes]


_WRITTEN = {
    "string_value": str,
    "int_value": str,
    "bool_value": bool,
    "bytes_value": lambda value: b64encode(value).decode(),
    "double_value": lambda value: {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(value), value),
    "array_value": lambda value: {"values": [_value(one) for one in value.values]},
    "kvlist_value": lambda value: {"values": _pairs(value.values)},
}


def _value(value: Any) -> dict[str, Any]:
    kind = value.WhichOneof("value")
    return {kind.replace("_value", "Value"): _WRITTEN[kind](getattr(value, kind))} if kind else {}


PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=8), st.binary(max_size=8)
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(st.text(max_size=3), inner), max_size=3).map(tuple),
    max_leaves=6,
)
PAIRS = st.lists(st.tuples(st.text(max_size=4), VALUES), max_size=4)
NUMBERS = st.integers(0, 2**64 - 1)
RECORDS = st.tuples(NUMBERS, NUMBERS, st.integers(-1, 30), st.text(max_size=5), VALUES, PAIRS, st.binary(max_size=16))


def _fill(message: Any, value: Any) -> None:
    if isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int):
        message.int_value = value
    elif isinstance(value, float):
        message.double_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, bytes):
        message.bytes_value = value
    elif isinstance(value, list):
        message.array_value.SetInParent()
        for one in value:
            _fill(message.array_value.values.add(), one)
    elif value is not None:
        message.kvlist_value.SetInParent()
        for key, one in value:
            _fill(message.kvlist_value.values.add(key=key).value, one)


def _made(resource: Any, records: Any) -> Any:
    sent = ExportLogsServiceRequest()
    of_resource = sent.resource_logs.add()
    for key, value in resource:
        _fill(of_resource.resource.attributes.add(key=key).value, value)
    of_scope = of_resource.scope_logs.add()
    for moment, observed, severity, text, body, pairs, trace in records:
        record = of_scope.log_records.add(
            time_unix_nano=moment, observed_time_unix_nano=observed, severity_text=text, trace_id=trace
        )
        record.severity_number = severity
        _fill(record.body, body)
        for key, value in pairs:
            _fill(record.attributes.add(key=key).value, value)
    return sent


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.lists(RECORDS, max_size=3))
def test_whatever_is_sent_is_the_same_in_protobuf_and_in_json(resource: Any, records: Any) -> None:
    sent = _made(resource, records)
    in_protobuf = otlp.decode(request(sent.SerializeToString(), otlp.PROTOBUF))
    in_json = otlp.decode(request(as_json(sent)))
    assert lines(in_protobuf) == lines(in_json)
    assert [part.stream for part in in_protobuf.parts] == [part.stream for part in in_json.parts]
    assert len(lines(in_protobuf)) == len(records)


def _answered(body: bytes, kind: str) -> None:
    try:
        decoded = otlp.decode(request(body, kind))
    except BadRequestError as error:
        otlp.refuse(request(body, kind), error.status, error.text)
    else:
        assert sum(part.lines.count(b"\n") for part in decoded.parts) == sum(part.records for part in decoded.parts)
        otlp.answer(request(body, kind), decoded)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(sorted(KINDS.values())))
def test_any_bytes_are_taken_or_refused(body: bytes, kind: str) -> None:
    _answered(body, kind)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 2000), st.binary(max_size=4), st.integers(0, 6))
def test_a_request_with_any_bytes_changed_is_taken_or_refused(kind: str, place: int, other: bytes, gone: int) -> None:
    body = exported().SerializeToString() if kind == "protobuf" else as_json(exported())
    place %= len(body)
    _answered(body[:place] + other + body[place + gone :], KINDS[kind])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "value", "values", "stringValue", "arrayValue", "intValue"]), inner)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(["body", "attributes", "timeUnixNano", "severityNumber", "traceId", "flags", "eventName"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(FIELDS, JSON), max_size=3), JSON, JSON)
def test_json_of_any_values_is_taken_or_refused(records: Any, resource: Any, scope: Any) -> None:
    scopes = [{"scope": scope, "logRecords": records}]
    try:
        body = orjson.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": scopes}]})
    except TypeError:  # an integer that no JSON of ours holds
        return
    _answered(body, otlp.JSON)


def test_a_record_fills_the_same_columns_as_one_that_is_read_from_a_file() -> None:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    attributes = {"http.request.method": "GET", "url.path": "/a", "client.address": "2001:db8::9", "user.id": "u1"}
    record = {
        "timeUnixNano": str(MOMENT),
        "observedTimeUnixNano": str(MOMENT),
        "severityNumber": 17,
        "severityText": "Error",
        "body": {"stringValue": "failed"},
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    scopes = [{"scope": {"name": "shop.orders"}, "logRecords": [record]}]
    body = orjson.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": scopes}]})
    received = otlp.decode(request(body)).parts[0].lines.decode().rstrip("\n")
    rows = []
    for text in (body.decode(), received):
        lines_of_it = pl.Series([text])
        choice = detect(lines_of_it).choice
        rows.append(parse(lines_of_it, choice, observed=NOW).drop("log_format", "attributes").row(0, named=True))
    from_file, from_client = ({key: value for key, value in row.items() if value is not None} for row in rows)
    assert from_client == from_file
    assert (from_client["url_path"], from_client["service_name"], from_client["trace_id"]) == (
        "/a",
        "shop",
        record["traceId"],
    )
