from __future__ import annotations

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.receivers.requests import PIECES

from logshed.receivers.common.documents import (
    attempt,
    concatenated,
    document,
    documents,
    flat,
    too_deep,
)
from logshed.receivers.common.records import UnfitError
from logshed.receivers.common.times import instant, since_1970

SECOND = 1_795_703_445
NANOSECONDS = SECOND * 10**9


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a":1,"b":{"c":[1,{"d":null}]}}', {"a": 1, "b": {"c": [1, {"d": None}]}}),
        (b'{"a":1,"a":2,"a":3}', {"a.1": 1, "a.2": 2, "a": 3}),
        (b'{"a":1,"a":"\\u003a"}', {"a.1": 1, "a": ":"}),
        (b'{"a":1,"a":"\\u003A"}', {"a.1": 1, "a": ":"}),
        (b'{"a" : "x:y", "a" : {"b":1,"b":2}}', {"a.1": "x:y", "a": {"b.1": 1, "b": 2}}),
        (b'{"a":"\\ud800x","b":"\\ud83d\\ude00"}', {"a": "\ufffdx", "b": "\U0001f600"}),
        (b'{"a":"\\\\ud800"}', {"a": "\\ud800"}),
        (b'{"a":"\xff"}', {"a": "\ufffd"}),
        (b'{"a":NaN,"b":-Infinity,"c":1e999}', {"a": "NaN", "b": "-Infinity", "c": "1e999"}),
        (b'{"a":NaN,"b":123456789012345678901234567890}', {"a": "NaN", "b": "123456789012345678901234567890"}),
        (b'{"a":NaN,"b":18446744073709551616}', {"a": "NaN", "b": "18446744073709551616"}),
        (b'{"a":"tab\tin it"}', {"a": "tab\tin it"}),
    ],
)
def test_a_document_keeps_every_key_and_number_that_it_has(data: bytes, value: object) -> None:
    assert document(data) == value
    assert list(documents([data, b"{}", data])) == [value, {}, value]


@pytest.mark.parametrize(
    ("data", "why"), [(b"{", "it is no JSON"), (b"[" * 65 + b"]" * 65, "64"), (b"[" * 10**5, "64")]
)
def test_what_is_no_document_says_why(data: bytes, why: str) -> None:
    with pytest.raises(UnfitError, match=why):
        document(data)
    first, second = documents([b"{}", data])
    assert (first, isinstance(second, UnfitError)) == ({}, True)


def test_64_levels_are_taken_and_65_are_not() -> None:
    assert document(b'{"a":' * 64 + b"1" + b"}" * 64)
    assert not too_deep(document(b"[" * 64 + b"]" * 64))
    with pytest.raises(UnfitError):
        document(b'{"a":' * 65 + b"1" + b"}" * 65)


def test_a_line_that_holds_two_documents_is_none() -> None:
    found = list(documents([b'{"a":1},{"b":2}', b'{"c":3}']))
    assert isinstance(found[0], UnfitError)
    assert found[1] == {"c": 3}


@pytest.mark.parametrize("between", [b"", b"\n", b" \r\n\t", b",", b"\n\n"])
def test_documents_that_follow_each_other_are_told_apart(between: bytes) -> None:
    some = [{"event": "}{ } {"}, {"event": {"a": [{"b": 1}]}}, {"event": "x", "time": 1.5}]
    assert concatenated(between.join(map(orjson.dumps, some))) == some
    assert concatenated(between.join(map(orjson.dumps, some[1:]))) == some[1:]


def test_what_follows_the_last_whole_document_is_told_as_its_error() -> None:
    first, second = concatenated(b'{"a":1}{"b":')
    assert (first, isinstance(second, UnfitError)) == ({"a": 1}, True)
    assert concatenated(b"  ") == []


def test_attributes_are_laid_flat_and_none_is_lost() -> None:
    assert flat({"a": {"b": 1, "c": {}}, "d": [1, {"e": 2}], "f": None, "g": True, "a.b": 2.5}) == {
        "a.b.1": 1,
        "a.b": 2.5,
        "a.c": "{}",
        "d": '[1,{"e":2}]',
        "g": True,
    }


def test_a_body_of_empty_lists_is_refused_before_it_is_read() -> None:
    body = b"[" + b"[]," * 1_000_001 + b"[]]"
    with pytest.raises(UnfitError, match="2,000,000 values"):
        document(body)
    assert [isinstance(one, UnfitError) for one in documents([b"{}", body])] == [False, True]
    assert [isinstance(one, UnfitError) for one in concatenated(b"{}" * 2_000_001)] == [True]


def test_many_keys_that_come_again_take_no_longer_than_others() -> None:
    (found,) = documents([b"{" + b",".join([b'"a":1'] * 50_000) + b"}"])
    assert len(found) == 50_000
    nested = b",".join([b'"a.b":1,"a":{"b":2}'] * 20_000)
    assert len(flat(document(b"{" + nested + b"}"))) == 40_000


KEYS = st.text(max_size=5)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def leaves(value: object) -> int:
    """How many values there are that are no objects with something in them."""
    if isinstance(value, dict) and value:
        return sum(map(leaves, value.values()))
    return value is not None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=4))
def test_what_is_plain_json_is_read_the_same_by_every_way(some: list[dict[str, object]]) -> None:
    lines = [orjson.dumps(one) for one in some]
    plain = [orjson.loads(line) for line in lines]
    assert list(documents(lines)) == plain
    assert concatenated(b"".join(lines)) == plain
    assert len(flat({"x": plain[0]})) == leaves({"x": plain[0]})


LINES = st.lists(st.lists(PIECES, max_size=6).map(b"".join), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(LINES)
@example([b'{"x":1},{"y":2}', b'{"a":[1', b"2]}"])
@example([b'{"x":1},0,{"y":2}', b'{"a":[{}', b"{}]}"])
@example([b'{"a":1,"a":"\\u003a"}', b"{}"])
def test_lines_that_are_read_together_say_what_each_says_alone(lines: list[bytes]) -> None:
    together, alone = list(documents(lines)), list(map(attempt, lines))
    assert list(map(repr, together)) == list(map(repr, alone))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-11-26T14:30:45Z", NANOSECONDS),
        ("2026-11-26T15:30:45+01:00", NANOSECONDS),
        ("2026-11-26 14:30:45", NANOSECONDS),
        ("2026-11-26T14:30:45.1234567Z", NANOSECONDS + 123_456_700),
        ("2026-11-26T14:30:45.123456789Z", NANOSECONDS + 123_456_789),
        ("2026-11-26T14:30:45.1234567+00:00", NANOSECONDS + 123_456_700),
        ("2026-11-26T14:30:45,5Z", NANOSECONDS + 500_000_000),
        (SECOND, NANOSECONDS),
        (str(SECOND), NANOSECONDS),
        (SECOND + 0.25, NANOSECONDS + 250_000_000),
        (SECOND * 1000, NANOSECONDS),
        (SECOND * 10**6, NANOSECONDS),
        (NANOSECONDS + 1, NANOSECONDS + 1),
        (str(NANOSECONDS + 1), NANOSECONDS + 1),
        *(
            (value, None)
            for value in ("yesterday", "2026-13-01", "", "9999-01-01", "1969-12-31", True, None, -1, 2**70)
        ),
        *((value, None) for value in (float("nan"), float("inf"), "nan", "9" * 40, "\u0663" * 4, [], {})),
    ],
)
def test_a_time_is_read_in_the_ways_that_clients_write_it(value: object, found: int | None) -> None:
    assert instant(value) == found


def test_a_number_of_a_known_unit_is_not_guessed() -> None:
    assert since_1970(1.5, 10**9) == 1_500_000_000
    assert since_1970(2**62, 10**9) is None
