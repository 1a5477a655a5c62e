from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from tests.receivers.requests import BODIES, NOW_NANOSECONDS, records, request, total

from logshed.receivers.model import RECEIVED, BadRequestError, Decoded, Reply
from logshed.receivers.splunk import PATH, ROUTES, decode_events, decode_raw

BY_PATH = {one.path: one for one in ROUTES}
CHANNEL = "0e4f6bd2-7b0c-4b7e-9d0a-0f2f5a2d7c11"


def said(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(reply.body)
    return found


def test_events_that_follow_each_other_keep_all_that_is_said_of_them() -> None:
    first = {
        "time": 1_795_701_600.25,
        "host": "web-1",
        "source": "/var/log/a",
        "sourcetype": "nginx",
        "index": "team-a",
        "event": "a }{ line",
        "fields": {"level": "warn", "many": ["a", "b"], "n": 5},
    }
    second = {"time": "1795701600.123456789", "event": {"a": {"b": 1}}, "extra": [1]}
    decoded = decode_events(request(orjson.dumps(first) + orjson.dumps(second)))
    assert [(part.stream, part.collection) for part in decoded.parts] == [("/var/log/a", "team-a"), ("unnamed", "")]
    assert records(decoded) == [
        {
            "time_unix_nano": NOW_NANOSECONDS + 250_000_000,
            "observed_time_unix_nano": NOW_NANOSECONDS,
            "body": "a }{ line",
            "severity_text": "warn",
            "resource": {"host.name": "web-1", "com.splunk.source": "/var/log/a", "com.splunk.sourcetype": "nginx"},
            "attributes": {"many": '["a","b"]', "n": 5},
        },
        {
            "time_unix_nano": NOW_NANOSECONDS + 123_456_789,
            "observed_time_unix_nano": NOW_NANOSECONDS,
            "body": '{"a":{"b":1}}',
            "attributes": {"extra": "[1]"},
        },
    ]


def test_a_list_of_events_and_the_addresses_index_are_taken() -> None:
    decoded = decode_events(request(b'[{"event":"a"},{"event":"b","index":"own"}]', query="index=main"))
    assert [(part.collection, part.records) for part in decoded.parts] == [("main", 1), ("own", 1)]


def test_an_event_that_is_none_is_kept_aside_and_the_others_are_taken() -> None:
    body = b'{"event":"a"}{"event":""}{"x":1}7{"event":"b","time":"soon","fields":9}{"event":'
    decoded = decode_events(request(body))
    assert [(one["body"], one.get("attributes")) for one in records(decoded)] == [
        ("a", None),
        ("b", {"time": "soon", "fields": 9}),
    ]
    assert [(one.index, one.reason.split(":")[0]) for one in decoded.refused] == [
        (1, "Event field cannot be blank"),
        (2, "Event field is required"),
        (3, "Invalid data format"),
        (5, "it is no JSON"),
    ]
    assert [one.data for one in decoded.refused] == [b'{"event":""}', b'{"x":1}', b"7", b'{"event":']


@pytest.mark.parametrize(
    ("body", "text", "code"),
    [
        (b" ", "No data", 5),
        (b"{", "Invalid data format", 6),
        (b'{"x":1}', "Event field is required", 12),
        (b'{"event":""}', "Event field cannot be blank", 13),
    ],
)
def test_what_holds_no_event_is_refused_in_splunks_words(body: bytes, text: str, code: int) -> None:
    with pytest.raises(BadRequestError) as caught:
        decode_events(request(body))
    reply = BY_PATH[PATH].refuse(request(body), caught.value.status, caught.value.text)
    assert (reply.status, said(reply)) == (400, {"text": text, "code": code})


@pytest.mark.parametrize(("status", "code"), [(401, 2), (403, 4), (429, 9), (503, 9), (413, 6)])
def test_a_doors_refusals_have_splunks_codes(status: int, code: int) -> None:
    assert said(BY_PATH[PATH].refuse(request(), status, "why"))["code"] == code
    assert said(BY_PATH[PATH].refuse(request(), status, "Incorrect index"))["code"] == 7


def test_raw_lines_are_kept_as_they_are_unless_something_is_said_of_them() -> None:
    (part,) = decode_raw(request(b"one\r\n  two \xff\n\nthree")).parts
    assert (part.lines, part.records, part.format) == (b"one\n  two \xef\xbf\xbd\n\nthree\n", 4, "")
    decoded = decode_raw(request(b"one\ntwo\n", query="host=h&sourcetype=nginx&index=team-a"))
    assert [(part.stream, part.collection, part.format) for part in decoded.parts] == [("nginx", "team-a", RECEIVED)]
    assert [(one["body"], one["resource"]["host.name"]) for one in records(decoded)] == [("one", "h"), ("two", "h")]
    with pytest.raises(BadRequestError, match="No data"):
        decode_raw(request(b"\n\n"))


def test_a_channel_is_given_an_id_that_is_acknowledged() -> None:
    plain = BY_PATH[PATH].answer(request(), Decoded(()))
    assert said(plain) == {"text": "Success", "code": 0}
    given_id = said(BY_PATH[PATH].answer(request(x_splunk_request_channel=CHANNEL), Decoded(())))["ackId"]
    assert isinstance(given_id, int)
    ack = BY_PATH[f"{PATH}/ack"]
    body = orjson.dumps({"acks": [given_id, "x"]})
    assert said(ack.answer(request(body, query=f"channel={CHANNEL}"), Decoded(()))) == {"acks": {str(given_id): True}}
    assert said(ack.answer(request(body), Decoded(())))["code"] == 10
    assert ack.answer(request(b"{", query=f"channel={CHANNEL}"), Decoded(())).status == 400


def test_the_collector_says_that_it_is_healthy() -> None:
    reply = BY_PATH[f"{PATH}/health"].answer(request(), Decoded(()))
    assert (reply.status, said(reply)) == (200, {"text": "HEC is healthy", "code": 17})


@settings(max_examples=100, deadline=None)
@given(BODIES)
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    total(decode_events, request(body))
    total(decode_events, request(b'{"event":"x","time":' + body))
    total(decode_raw, request(body))
    total(decode_raw, request(body, query="host=a"))
