from __future__ import annotations

from typing import Any

import cramjam
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.receivers.requests import BODIES, NOW_NANOSECONDS, records, request, total

from logshed.receivers.common.loki_push import message as loki_message
from logshed.receivers.loki import LARGEST, ROUTES, decode, parse_labels, unsnapped
from logshed.receivers.model import BadRequestError, Decoded


def push(*streams: tuple[bytes, list[tuple[int, bytes, dict[bytes, bytes]]]]) -> bytes:
    message = loki_message("Push")()
    for labels, entries in streams:
        stream = message.streams.add(labels=labels)
        for moment, line, metadata in entries:
            entry = stream.entries.add(line=line)
            entry.timestamp.seconds, entry.timestamp.nanos = divmod(moment, 10**9)
            for name, value in metadata.items():
                entry.metadata.add(name=name, value=value)
    return bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


def as_json(*streams: dict[str, Any]) -> Decoded:
    return decode(request(orjson.dumps({"streams": streams}), content_type="application/json; charset=utf-8"))


def test_a_push_in_protobuf_keeps_lines_labels_metadata_and_time() -> None:
    labels = b'{job="web", namespace="shop", level="warn", path="a\\"b\\\\c"}'
    trace = b"4bf92f3577b34da6a3ce929d0e0e4736"
    body = push(
        (
            labels,
            [
                (NOW_NANOSECONDS + 7, b"one", {}),
                (0, b"two \xff", {b"trace_id": trace, b"pod": b"w", b"level": b"error"}),
            ],
        ),
        (b'{job="web"}', [(NOW_NANOSECONDS, b"three\nlines", {})]),
        (b"{}", [(NOW_NANOSECONDS, b"", {})]),
    )
    decoded = decode(request(body, content_type="application/x-protobuf", x_scope_orgid="team-a"))
    assert [(part.stream, part.records, part.collection) for part in decoded.parts] == [
        ("web", 3, "team-a"),
        ("unnamed", 1, "team-a"),
    ]
    resource = {"job": "web", "k8s.namespace.name": "shop", "path": 'a"b\\c'}
    observed = {"observed_time_unix_nano": NOW_NANOSECONDS}
    assert records(decoded) == [
        {
            "time_unix_nano": NOW_NANOSECONDS + 7,
            **observed,
            "body": "one",
            "severity_text": "warn",
            "resource": resource,
        },
        {
            **observed,
            "body": "two \ufffd",
            "severity_text": "error",
            "trace_id": trace.decode(),
            "attributes": {"k8s.pod.name": "w"},
            "resource": resource,
        },
        {"time_unix_nano": NOW_NANOSECONDS, **observed, "body": "three\nlines", "resource": {"job": "web"}},
        {"time_unix_nano": NOW_NANOSECONDS, **observed, "body": ""},
    ]


def test_a_push_in_json_says_the_same() -> None:
    entries = [[str(NOW_NANOSECONDS + 7), "one"], [str(NOW_NANOSECONDS), "two", {"pod": "w", "n": 5}]]
    decoded = as_json({"stream": {"job": "web", "level": "warn"}, "values": entries})
    assert [part.stream for part in decoded.parts] == ["web"]
    first, second = records(decoded)
    assert (first["time_unix_nano"], first["body"], first["severity_text"]) == (NOW_NANOSECONDS + 7, "one", "warn")
    assert second["attributes"] == {"k8s.pod.name": "w", "n": 5}


def test_the_older_form_of_json_is_taken_too() -> None:
    entry = {"ts": "2026-11-26T14:00:00.000000001Z", "line": "x"}
    (found,) = records(as_json({"labels": '{app="a"}', "entries": [entry]}))
    assert (found["time_unix_nano"], found["body"], found["resource"]) == (NOW_NANOSECONDS + 1, "x", {"app": "a"})


def test_an_entry_that_is_none_is_kept_aside_and_a_time_that_is_none_left_out() -> None:
    decoded = as_json({"stream": {"job": "a"}, "values": [["1"], 7, ["soon", "x"], ["1", {"a": 1}], ["9" * 30, "y"]]})
    assert [(one.index, one.data) for one in decoded.refused] == [(0, b'["1"]'), (1, b"7")]
    assert [(one.get("time_unix_nano"), one["body"]) for one in records(decoded)] == [
        (None, "x"),
        (1, '{"a":1}'),
        (None, "y"),
    ]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{}", {}),
        ('{a="1",b="2",}', {"a": "1", "b": "2"}),
        ('{ a = "x,}" , b=`raw\\n` }', {"a": "x,}", "b": "raw\\n"}),
        ('{a="\\n\\t\\x41\\u00e9\\U0001F600\\101"}', {"a": "\n\tA\u00e9\U0001f600A"}),
        ('{a="\\ud800\\UFFFFFFFF"}', {"a": "\ufffd\ufffd"}),
        ('{a="1",a="2"}', {"a.1": "1", "a": "2"}),
    ],
)
def test_labels_are_read_as_prometheus_writes_them(text: str, labels: dict[str, str]) -> None:
    assert parse_labels(text) == labels


@pytest.mark.parametrize("text", ["{a}", "{a=1}", '{="x"}', '{a="x" b="y"}', '{a="x}'])
def test_labels_that_are_none_refuse_the_push(text: str) -> None:
    with pytest.raises(BadRequestError):
        parse_labels(text)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"no snappy", "application/x-protobuf", 400),
        (b"\xff\xff\xff\xff\x0f", "application/x-protobuf", 413),
        (bytes(cramjam.snappy.compress_raw(b"\x0a\xff\xff")), "application/x-protobuf", 400),
        (b"[]", "application/json", 400),
        (b'{"streams":[7]}', "application/json", 400),
        (b'{"streams":[{"stream":{},"values":7}]}', "application/json", 400),
        (b"{", "application/json", 400),
    ],
)
def test_what_is_no_push_is_refused_whole(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(BadRequestError) as caught:
        decode(request(body, content_type=kind))
    assert caught.value.status == status
    assert ROUTES[0].refuse(request(), 400, "why").body == b"why\n"


def test_a_bomb_is_refused_before_it_opens() -> None:
    bomb = bytes(cramjam.snappy.compress_raw(bytes(LARGEST + 1)))
    assert len(bomb) < LARGEST // 10
    with pytest.raises(BadRequestError) as caught:
        unsnapped(bomb)
    assert caught.value.status == 413


def test_more_entries_than_a_request_may_hold_are_refused() -> None:
    message = loki_message("Push")()
    stream = message.streams.add(labels=b"{}")
    for _ in range(100_001):
        stream.entries.add()
    with pytest.raises(BadRequestError) as caught:
        decode(request(bytes(cramjam.snappy.compress_raw(message.SerializeToString()))))
    assert caught.value.status == 413


def test_a_large_push_is_read_level_by_level_to_the_same_records() -> None:
    entries = [(NOW_NANOSECONDS + number, b"x" * 600, {b"pod": b"p"}) for number in range(2_000)]
    small, large = push((b'{job="a"}', entries[:1])), push((b'{job="a"}', entries), (b'{job="b"}', entries[:1]))
    (one,), many = records(decode(request(small))), records(decode(request(large)))
    assert [found["time_unix_nano"] - NOW_NANOSECONDS for found in many] == [*range(2_000), 0]
    assert (many[0], many[-1]) == (one, {**one, "resource": {"job": "b"}})


def field(number: int, data: bytes) -> bytes:
    """A field of bytes as protobuf writes it."""
    size, rest = bytearray(), len(data)
    while rest > 0x7F:
        size.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([number << 3 | 2, *size, rest]) + data


LONG = field(2, field(2, b"x" * 600)) * 2_000


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (field(1, b"") * 2**20, 413),
        (field(1, field(2, b"") * 2**20), 413),
        (field(1, field(2, field(3, b"") * 2**20)), 400),
        (field(1, LONG + field(2, b"\xff")), 400),
        (field(1, LONG + b"\xff"), 400),
        (field(1, LONG) + field(1, b"\xff"), 400),
        (field(1, LONG) + b"\xff", 400),
    ],
)
def test_a_large_push_that_is_broken_or_empty_a_million_times_is_refused(wire: bytes, status: int) -> None:
    with pytest.raises(BadRequestError) as caught:
        decode(request(bytes(cramjam.snappy.compress_raw(wire))))
    assert caught.value.status == status


def test_the_fields_have_the_numbers_that_loki_gives_them() -> None:
    time = field(1, b"\x08\x01\x10\x80\x01")
    entry = field(2, time + field(2, b"x") + field(3, field(1, b"k") + field(2, b"v")))
    wire = field(1, field(1, b'{a="b"}') + entry + b"\x18\x05")  # and the hash, which is not read
    (found,) = records(decode(request(bytes(cramjam.snappy.compress_raw(wire)))))
    assert (found["time_unix_nano"], found["body"]) == (1_000_000_128, "x")
    assert (found["resource"], found["attributes"]) == ({"a": "b"}, {"k": "v"})


def test_clients_that_test_the_address_are_answered() -> None:
    said = {one.path: one.answer(request(), Decoded(())) for one in ROUTES}
    assert (said["/ready"].status, said["/ready"].body) == (200, b"ready\n")
    assert said["/loki/api/v1/push"].status == 204
    assert orjson.loads(said["/loki/api/v1/labels"].body) == {"status": "success", "data": []}


@settings(max_examples=100, deadline=None)
@given(BODIES, st.booleans())
def test_any_bytes_are_decoded_or_refused(body: bytes, compressed: bool) -> None:
    total(decode, request(bytes(cramjam.snappy.compress_raw(body)) if compressed else body))
    total(decode, request(body, content_type="application/json"))
