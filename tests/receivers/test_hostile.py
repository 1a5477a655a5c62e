"""What is made to take time or memory out of proportion is refused, or taken a piece at a time."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, quote_plus

import cramjam
import msgpack
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from tests.receivers.requests import NOW, records, request

from logshed.receivers import elastic, lines, loki, otlp, splunk, webhook
from logshed.receivers.common import loki_push, otlp_wire
from logshed.receivers.common.inflate import zstd
from logshed.receivers.common.records import deep
from logshed.receivers.forward import ENOUGH, LARGEST_RECORD, Forward
from logshed.receivers.model import MOST_RECORDS, BadRequestError, Decoded
from logshed.receivers.syslog import Syslog

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("levels", [1, 199, 200, 201, 255, 401, 1_000])
def test_a_value_is_written_however_deep_the_reader_let_it_be(levels: int) -> None:
    for begin, end in ((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":1,"b":', b"},2]")):
        some = levels // (len(begin) // 2 + 1) or 1
        text = begin * some + b"[]" + end * some
        assert deep(orjson.loads(text)) == text


def test_a_record_of_json_that_is_too_deep_is_kept_aside_whole_and_the_others_are_taken() -> None:
    inner = b'{"arrayValue":{"values":[' * 300 + b"]}}" * 300
    record = b'{"body":' + inner + b"}"
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[%s,{"body":{"stringValue":"x"}}]}]}]}' % record
    decoded = otlp.decode(request(body, "/v1/logs", content_type="application/json"))
    assert [one.data for one in decoded.refused] == [record]
    assert [one["body"] for one in records(decoded)] == ["x"]


def exported(sizes: list[int], text: bytes = b"") -> bytes:
    """A request with a record for each size, in two resources."""
    made = ExportLogsServiceRequest()
    for number, size in enumerate(sizes):
        if number % 2 == 0:
            of_resource = made.resource_logs.add(schema_url="https://example.org/r")
            of_resource.resource.attributes.add(key="service.name").value.string_value = f"shop{number}"
            of_scope = of_resource.scope_logs.add(schema_url="https://example.org/s")
            of_scope.scope.name = "orders"
        of_scope.log_records.add(severity_number=9).body.string_value = "x" * size
    return bytes(made.SerializeToString().replace(b"orders", b"order" + text) if text else made.SerializeToString())


@pytest.mark.parametrize("text", [b"", b"\xff"])
def test_a_request_of_otlp_says_the_same_read_whole_and_in_pieces(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    body = exported([1, 20, 300, 4_000], text)
    whole = otlp.decode_export(body, NOW)
    monkeypatch.setattr(otlp_wire, "SMALL", 0)
    assert otlp.decode_export(body, NOW) == whole
    assert len(records(whole)) == 4


def test_a_record_of_otlp_that_is_larger_than_a_mebibyte_is_kept_aside_alone() -> None:
    decoded = otlp.decode_export(exported([5, MEBIBYTE + 1, 7]), NOW)
    assert [len(one["body"]) for one in records(decoded)] == [5, 7]
    assert [(one.index, one.reason) for one in decoded.refused] == [(1, "it is larger than 1 MiB")]


def of_otlp(*numbers: int, data: bytes) -> bytes:
    """A message inside others."""
    made = data
    for number in reversed(numbers):
        size, length = len(made), b""
        while size > 127:
            length += bytes([size & 127 | 128])
            size >>= 7
        made = bytes([number << 3 | 2]) + length + bytes([size]) + made
    return made


@pytest.mark.parametrize("within", [(1, 1), (1, 2, 1)], ids=["resource", "scope"])
def test_a_resource_or_a_scope_of_otlp_with_a_million_attributes_is_refused(within: tuple[int, ...]) -> None:
    number = b"\x0a\0" if within == (1, 1) else b"\x1a\0"
    with pytest.raises(BadRequestError, match="attributes of a resource or a scope: it is larger than 1 MiB") as raised:
        otlp.decode_export(of_otlp(*within, data=number * MEBIBYTE), NOW)
    assert raised.value.status == 413


def test_a_request_of_otlp_that_is_larger_than_twenty_mebibytes_is_refused() -> None:
    with pytest.raises(BadRequestError, match="larger than 20 MiB; send less at once") as raised:
        otlp.decode_export(bytes(20 * MEBIBYTE + 1), NOW)
    assert raised.value.status == 413


def pushed(body: bytes) -> Decoded:
    return loki.decode(request(bytes(cramjam.snappy.compress_raw(body)), "/loki/api/v1/push"))


PUSHES: dict[str, tuple[bytes, str]] = {
    "streams": (b"\x0a\0" * (MOST_RECORDS + 1), "more than 100000 records"),
    "pairs of an entry": (of_otlp(1, 2, data=b"\x1a\0" * 10_001), "more than 10000 pairs of metadata"),
    "pairs": (of_otlp(1, data=of_otlp(2, data=b"\x1a\0" * 9_000) * 2), "too many entries, labels or metadata"),
    "labels": (of_otlp(1, 1, data=b"{" + b'a="b",' * 11_000 + b"}"), "more than 65536 characters"),
}


@pytest.mark.parametrize("kind", PUSHES)
@pytest.mark.parametrize("small", [0, loki_push.SMALL], ids=["in pieces", "whole"])
def test_a_push_with_more_than_a_push_has_is_refused(kind: str, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loki_push, "SMALL", small)
    monkeypatch.setattr(loki, "MOST_PAIRS", 17_000)
    body, reason = PUSHES[kind]
    with pytest.raises(BadRequestError, match=reason):
        pushed(body)


EMPTY_LINES = b"\n" * (4 * MOST_RECORDS + 8)
REFUSED: dict[str, tuple[Any, bytes]] = {
    "lines": (lines.decode_raw, b"a" + EMPTY_LINES),
    "objects": (lines.decode_ndjson, b"{}" + EMPTY_LINES + b"{}"),
    "documents": (elastic.decode_bulk, EMPTY_LINES),
    "raw lines of HEC": (splunk.decode_raw, b"a" + EMPTY_LINES),
    "events that are numbers": (splunk.decode_events, b"1 " * (MOST_RECORDS + 2)),
    "values of OTLP": (otlp.decode, b'{"a":[' + b"0," * 2_000_001 + b"0]}"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_more_than_a_request_may_hold_is_refused_before_it_is_read(kind: str) -> None:
    decode, body = REFUSED[kind]
    with pytest.raises(BadRequestError, match=r"send (fewer|less) at once") as raised:
        decode(request(body, "/a/_bulk", content_type="application/json"))
    assert raised.value.status == 413


@settings(max_examples=50, deadline=None)
@given(st.text(), st.integers(1, 40))
def test_a_form_is_read_in_pieces_as_it_would_be_whole(text: str, piece: int) -> None:
    packed = quote_plus(text).encode()
    form = b"a=1&payload=" + packed + b"&b=%zz%4"
    asked = request(form, "/v1/webhook", content_type="application/x-www-form-urlencoded")
    before, webhook._PIECE = webhook._PIECE, max(piece, 3)
    try:
        found = webhook._payload(asked)
    finally:
        webhook._PIECE = before
    assert found.decode() == parse_qs(form.decode(), keep_blank_values=True)["payload"][0]


def test_records_that_are_packed_in_few_bytes_come_some_at_a_time_and_each_chunk_is_acknowledged() -> None:
    packed = zstd.compress(msgpack.packb([1, {}]) * (ENOUGH + 1))
    data = b"".join(msgpack.packb(["a", packed, {"compressed": "zstd", "chunk": f"c{n}"}]) for n in range(3))
    assert len(data) < 10_000
    talk = Forward()
    steps = [talk.feed(data, NOW)]
    while steps[-1].more:
        assert talk.held >= 0
        steps.append(talk.feed(b"", NOW))
    assert [step.decoded.parts[0].records for step in steps if step.decoded.parts] == [ENOUGH + 1] * 3
    acks = msgpack.Unpacker()
    acks.feed(b"".join(step.answer for step in steps))
    assert [one["ack"] for one in acks] == [f"c{n}" for n in range(3)]
    assert (talk.held, steps[-1].over) == (0, "")


def test_small_messages_by_the_thousand_come_some_at_a_time_and_an_end_among_them_is_told() -> None:
    talk = Forward()
    first = talk.feed(msgpack.packb(["a", 1, {}]) * (ENOUGH + 3) + b"\xc1", NOW)
    assert (first.more, first.over, first.decoded.parts[0].records) == (True, "", ENOUGH)
    second = talk.feed(b"", NOW)
    assert (second.more, second.decoded.parts[0].records) == (False, 3)
    assert second.over.startswith("what came is no message")
    assert second.decoded.refused[0].data.endswith(b"\xc1")


def test_a_packed_record_that_is_too_large_is_kept_aside_with_what_follows() -> None:
    large = msgpack.packb([1, {"log": "x" * (LARGEST_RECORD + 2 * MEBIBYTE)}])
    step = Forward().feed(msgpack.packb(["a", msgpack.packb([1, {"log": "one"}]) + large]), NOW)
    assert [one["body"] for one in records(step.decoded)] == ["one"]
    assert [(one.reason, one.data) for one in step.decoded.refused] == [
        (f"a record of more than {LARGEST_RECORD:,} bytes", large)
    ]


@pytest.mark.parametrize(("begin", "held"), [(b"<13>", 60_004), (b"60000 <13>", 4)])
def test_a_message_of_syslog_that_comes_byte_by_byte_takes_no_longer_than_its_length(begin: bytes, held: int) -> None:
    talk, begun = Syslog("192.0.2.7"), time.process_time()
    for byte in begin + b"x" * 60_000:
        talk.feed(bytes([byte]), NOW)
    assert time.process_time() - begun < 1
    assert talk.held == held  # four bytes follow the counted message
