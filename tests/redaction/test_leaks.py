"""Verification: what redaction of the raw text missed is seen in the parsed fields and goes down the slow path."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from logshed.redaction import Redactor, load_policy

REDACTOR = Redactor(load_policy("default"))


def _map(rows: list[dict[str, str | None] | None]) -> pl.Series:
    offsets = np.cumsum([0, *(len(row or {}) for row in rows)]).astype(np.int32)
    keys = pa.array([key for row in rows for key in row or {}], pa.large_string())
    values = pa.array([value for row in rows for value in (row or {}).values()], pa.large_string())
    mask = pa.array([row is None for row in rows])
    return pl.Series(pl.from_arrow(pa.MapArray.from_arrays(pa.array(offsets), keys, values, mask=mask)))


def _parsed(*attributes: dict[str, str | None] | None, **columns: list[str | None]) -> pl.DataFrame:
    rows = {"row": pl.Series(range(len(attributes)), dtype=pl.UInt32), "attributes": _map(list(attributes))}
    return pl.DataFrame(rows).with_columns(
        **{name: pl.Series(values, dtype=pl.String) for name, values in columns.items()}
    )


def _flatten(value: object, prefix: str = "") -> dict[str, str | None]:
    if isinstance(value, dict):
        return {name: text for key, inner in value.items() for name, text in _flatten(inner, f"{prefix}{key}.").items()}
    text = value if value is None or isinstance(value, str) else json.dumps(value)
    return {prefix.rstrip("."): text}


@pytest.mark.parametrize(
    "attributes",
    [
        {"password": "x"},
        {"http.request.header.authorization": "Bearer x"},
        {"a.dbPassword": "x"},
        {"password.hash.0": "x"},
        {"tokens.access_token": '["a"]'},
        {"cookie": "[COOKIE]x"},
        {"n": "1", "API-Key": "x"},
    ],
)
def test_a_sensitive_field_with_a_value_that_is_no_tag_leaks(attributes: dict[str, str | None]) -> None:
    parsed = _parsed({"n": "1"}, None, attributes)
    assert REDACTOR.leaks(pl.Series(["a", "b", "c"]), parsed).to_list() == [False, False, True]


@pytest.mark.parametrize(
    "attributes",
    [
        None,
        {"password": "[PASSWORD]"},
        {"password": "[SECRET]"},
        {"password": None, "token": "-", "secret": "", "has_password": "true"},
        {"passwordless": "x", "max_tokens": "5", "url": "/password"},
    ],
)
def test_tags_absent_values_and_other_fields_do_not_leak(attributes: dict[str, str | None] | None) -> None:
    assert REDACTOR.leaks(pl.Series(["a"]), _parsed(attributes)).to_list() == [False]


def test_several_rows_of_one_record_are_judged_each_for_itself() -> None:
    parsed = _parsed({"password": "x"}, {"n": "1"}).with_columns(row=pl.Series([0, 0], dtype=pl.UInt32))
    assert REDACTOR.leaks(pl.Series(["a"]), parsed).to_list() == [True, False]


def test_a_text_whose_escapes_hide_a_secret_leaks_whatever_was_parsed() -> None:
    hidden = pl.Series([r'{"pass\u0077ord":"x"}', r'{"a":"\u0041"}'])
    assert REDACTOR.leaks(hidden, _parsed(None, None)).to_list() == [True, False]


def test_rewriting_replaces_the_leaking_values_that_the_formats_found() -> None:
    text = pl.Series(["10.0.0.1 s3cr3t /a 200", 'x "a\\"b" y'])
    parsed = _parsed({"password": "s3cr3t"}, {"token": 'a"b'})
    found = REDACTOR.rewrite(text, parsed)
    assert found.text.to_list() == ["10.0.0.1 [PASSWORD] /a 200", 'x "[TOKEN]" y']
    assert found.counts.to_list() == [1, 1]


def test_rewriting_decodes_json_at_any_depth_and_encodes_it_again() -> None:
    inner = json.dumps({"password": True, "token": {"a": 1}, "n": [1.5, None]})
    (clean,) = REDACTOR.rewrite(pl.Series([f'2024 app: {{"log": {json.dumps(inner)}}} end'])).text
    assert clean.startswith("2024 app: {")
    assert clean.endswith("} end")
    log = json.loads(json.loads(clean.removeprefix("2024 app: ").removesuffix(" end"))["log"])
    assert log == {"password": True, "token": "[TOKEN]", "n": [1.5, None]}


def test_what_cannot_be_decoded_is_replaced_from_the_name_on_or_whole() -> None:
    found = REDACTOR.rewrite(pl.Series(["user bob password|s3cr3t|x", "nothing is named here"]))
    assert found.text.to_list() == ["user bob password [PASSWORD]", "[REDACTED]"]
    assert REDACTOR.redact(found.text).text.to_list() == found.text.to_list()


@pytest.mark.parametrize(
    "line",
    [
        r'{"pass\u0077ord":"S3CRET"}',
        r'{"PASS\u0057ORD":["S3CRET"]}',
        '{"password":12345.6e7}',
        '{"password":["S3CRET",["S3CRET"]]}',
        '{"password":{"value":{"S3CRET":"S3CRET"}}}',
        '{"a":{"b":{"client_secret":"S3CRET"}}}',
        json.dumps({"log": json.dumps({"log": json.dumps({"token": "S3CRET"})})}),
        json.dumps({"log": '{"tok\\u0065n":"S3CRET"}'}),
        '{"password":"\\u0053\\u0033CRET\\n\\"S3CRET"}',
    ],
)
def test_redacting_verifying_and_rewriting_together_leak_nothing(line: str) -> None:
    redacted = REDACTOR.redact(pl.Series([line])).text
    parsed = _parsed(_flatten(json.loads(redacted[0])))
    leaks = REDACTOR.leaks(redacted, parsed)
    final = REDACTOR.rewrite(redacted, parsed).text[0] if leaks[0] else redacted[0]
    assert "S3CRET" not in json.dumps(_flatten(json.loads(final)))
    assert "S3CRET" not in final
    assert "12345.6" not in final


def test_a_policy_without_rules_sees_no_leaks() -> None:
    assert Redactor(load_policy("none")).leaks(pl.Series(["a"]), _parsed({"password": "x"})).to_list() == [False]


def test_half_a_surrogate_pair_does_not_stop_the_slow_path() -> None:
    text = pl.Series([r'{"note":"\ud800","pass\u0077ord":"hunter2"}'])
    clean = REDACTOR.rewrite(text, _parsed({"password": "hunter2"})).text
    assert json.loads(clean[0]) == {"note": "\ud800", "password": "[PASSWORD]"}


def test_a_field_that_ends_like_a_token_and_names_a_page_or_a_request_does_not_leak() -> None:
    attributes = {"requestParameters.clientToken": "550e8400-e29b-41d4-a716-446655440000", "nextToken": "AAMA-EFR"}
    parsed = _parsed(attributes, {"sessionToken": "IQoJb3"})
    assert REDACTOR.leaks(pl.Series(["x", "y"]), parsed).to_list() == [False, True]
