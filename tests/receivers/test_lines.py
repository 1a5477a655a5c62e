from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from tests.receivers.requests import BODIES, records, request, total

from logshed.receivers.lines import ROUTES, decode_ndjson, decode_raw
from logshed.receivers.model import BadRequestError

TRACE = b"ERROR it broke\nTraceback (most recent call last):\n  File 'a', line 1\nValueError: b"


def test_raw_lines_stay_together_and_as_they_came() -> None:
    (part,) = decode_raw(request(TRACE, "/v1/raw/team-a", "stream=web&format=python")).parts
    assert (part.stream, part.collection, part.format) == ("web", "team-a", "python")
    assert (part.lines, part.records) == (TRACE + b"\n", 4)


def test_the_stream_is_named_after_the_collection_or_who_sent_it() -> None:
    assert decode_raw(request(b"x", "/v1/raw")).parts[0].stream == "192.0.2.7"
    (part,) = decode_raw(request(b"x\xff", "/v1/raw", "collection=shop")).parts
    assert (part.stream, part.collection, part.lines) == ("shop", "shop", b"x\xef\xbf\xbd\n")


def test_objects_are_kept_as_they_came_and_what_is_none_aside() -> None:
    body = b'{"a": 1.50}\n\n{"b":\r\n7\n{"c":"\xff"}\r\n{"a":1,"a":2}\n'
    asked = request(body, "/v1/ndjson/shop")
    decoded = decode_ndjson(asked)
    (part,) = decoded.parts
    assert part.lines == b'{"a": 1.50}\n{"c":"\xef\xbf\xbd"}\n{"a":1,"a":2}\n'
    assert (part.records, part.collection) == (3, "shop")
    assert [(one.index, one.data) for one in decoded.refused] == [(1, b'{"b":\r'), (2, b"7")]
    said = orjson.loads(ROUTES[2].answer(asked, decoded).body)
    assert said["accepted"] == 3
    assert [one["line"] for one in said["refused"]] == [2, 3]


@pytest.mark.parametrize("body", [b'[{"a":1},{"a":2}]', b'[\n{"a":1},\n{"a":2}\n]', b'{"a":1}\n{"a":2}'])
def test_a_list_of_objects_is_as_good_as_lines(body: bytes) -> None:
    assert records(decode_ndjson(request(body))) == [{"a": 1}, {"a": 2}]


def test_one_object_may_take_several_lines() -> None:
    assert records(decode_ndjson(request(b'{\n  "a": 1\n}\n'))) == [{"a": 1}]


@pytest.mark.parametrize("body", [b"", b"\n \n", b"7", b"[]", b"[7]", b"{"])
def test_a_body_without_an_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError) as caught:
        decode_ndjson(request(body))
    assert (caught.value.status, ROUTES[2].refuse(request(), 400, "why").body) == (400, b'{"error":"why"}')


def test_more_lines_than_a_request_may_hold_are_refused() -> None:
    for decode in (decode_raw, decode_ndjson):
        with pytest.raises(BadRequestError) as caught:
            decode(request(b"{}\n" * 100_001))
        assert caught.value.status == 413


@settings(max_examples=100, deadline=None)
@given(BODIES)
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    total(decode_raw, request(body))
    total(decode_ndjson, request(body))
    total(decode_ndjson, request(b"[" + body))
