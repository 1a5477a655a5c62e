"""The engine's promises: nothing changes twice, lines stay lines, JSON stays JSON, counts are true."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.redaction import Redactor, load_policy

REDACTOR = Redactor(load_policy("default"))
PLANTED = "Zq7x9Kw2"

KEYS = ["password", "db_password", "accessToken", "api-key", "CLIENT_SECRET", "cookie", "Authorization", "pwd", "note"]
PIECES = [
    *KEYS, "=", ":", ": ", " = ", "=>", '"', "'", '\\"', '\\\\\\"', "\\", "\\n", "\n", " ", "&", "?", ";", ",",
    ", ", "{", "}", "[", "]", "(", ")", "<", ">", "</", "%3D", "%22", "%40", "%70", "%2570", "\\u0070", "\\u003d",
    "\\u0022", "\\u005c", "@", "://", "bob", "example.com", "bob@example.com", "Bearer ", "Basic ", "dXNlcjpwYXNz",
    "4111111111111111", "4111 1111 1111 1111", "1234567890123456", "0.", "[EMAIL]", "[PASSWORD]", "[CARD]",
    "[HUNTER]", "null", "true", "12", "-", PLANTED, "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
    "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3", "é", "漢", "\x00",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=14).map("".join)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=4)), inner, max_size=3),
        inner.map(json.dumps),
    ),
    max_leaves=8,
)


def _redacted(*given_texts: str) -> list[str]:
    return REDACTOR.redact(pl.Series(given_texts, dtype=pl.String)).text.to_list()


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=20))
def test_redacting_twice_changes_nothing(lines: list[str]) -> None:
    once = REDACTOR.redact(pl.Series(lines, dtype=pl.String))
    twice = REDACTOR.redact(once.text)
    assert twice.text.to_list() == once.text.to_list()
    assert twice.by_rule == {}


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=10))
def test_a_text_is_redacted_alike_alone_and_among_others(lines: list[str]) -> None:
    assert _redacted(*lines) == [_redacted(line)[0] for line in lines]


@settings(deadline=None)
@given(st.lists(values, min_size=1, max_size=5), st.booleans())
def test_json_stays_json(records: list[object], ascii_only: bool) -> None:
    for line in _redacted(*(json.dumps({"record": record}, ensure_ascii=ascii_only) for record in records)):
        json.loads(line)


@settings(deadline=None)
@given(values, st.integers(0, 6))
def test_no_secret_survives_under_a_sensitive_key_however_deep_the_json_in_strings(inner: object, depth: int) -> None:
    record: object = {"password": [PLANTED, inner], "n": 1}
    for _ in range(depth):
        record = {"log": json.dumps(record)}
    (line,) = _redacted(json.dumps(record))
    assert PLANTED not in line


def test_counts_say_how_many_spans_went_from_each_text_and_by_which_rule() -> None:
    found = REDACTOR.redact(pl.Series(["a@example.com, b@example.com", "nothing", None, "password=x token=y"]))
    assert found.counts.to_list() == [2, 0, 0, 2]
    assert found.counts.dtype == pl.Int32
    assert found.by_rule == {"email": 2, "password": 1, "token": 1}


def test_null_empty_and_no_texts_at_all_come_back_as_they_were() -> None:
    assert REDACTOR.redact(pl.Series([None, ""], dtype=pl.String)).text.to_list() == [None, ""]
    assert REDACTOR.redact(pl.Series([], dtype=pl.String)).text.to_list() == []


def test_a_private_key_goes_whole_from_a_record_of_many_lines() -> None:
    key = "\n".join(
        ["-----BEGIN RSA PRIVATE KEY-----", *["MIIEowIBAAKCAQEA" * 4] * 25, "-----END RSA PRIVATE KEY-----"]
    )
    assert _redacted(f"loaded\n{key}\nready") == ["loaded\n[PRIVATE_KEY]\nready"]


def test_adjacent_spans_are_all_found_even_where_one_ends_at_the_next() -> None:
    assert _redacted("4111111111111111 4012888888881881 378282246310005") == ["[CARD] [CARD] [CARD]"]
    assert _redacted("1234567890123456 4111111111111111") == ["1234567890123456 [CARD]"]


def test_a_long_line_of_brackets_and_quotes_takes_no_more_than_linear_time() -> None:
    for unit in (
        '{"password":[',
        '"token":"\\',
        "[[[[{{{{",
        'password="',
        "a@",
        "1234 ",
        "eyJ",
        "\\\\\\\\",
        "%25",
        "cookie: a=b;",
    ):
        (line,) = _redacted(unit * (200_000 // len(unit)))
        assert line


def test_the_policy_none_returns_the_very_same_texts() -> None:
    text = pl.Series(["password=x"])
    found = Redactor(load_policy("none")).redact(text)
    assert found.text is text
    assert found.counts.to_list() == [0]
