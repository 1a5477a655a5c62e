from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.redaction import Redactor, load_policy, load_rules
from logshed.redaction.finding import masked

REDACTOR = Redactor(load_policy("default"))
EXAMPLES = [example.text for rule in load_rules().values() for example in rule.true]
EXAMPLES += [text for rule in load_rules().values() for text in rule.false]


def _counts(found: pl.DataFrame) -> dict[str, int]:
    return dict(found.group_by("rule").len().iter_rows())


def test_finds_are_as_many_as_redactions_by_rule_and_by_text() -> None:
    texts = pl.Series(EXAMPLES)
    redacted, found = REDACTOR.redact(texts), REDACTOR.find(texts)
    assert _counts(found) == redacted.by_rule
    by_text = dict(found.group_by("row").len().iter_rows())
    assert [by_text.get(row, 0) for row in range(len(texts))] == redacted.counts.to_list()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=4).map(" ".join))
def test_finds_are_as_many_as_redactions_in_mixed_texts(text: str) -> None:
    texts = pl.Series([text])
    assert _counts(REDACTOR.find(texts)) == REDACTOR.redact(texts).by_rule


def test_a_find_tells_its_row_its_line_and_a_masked_value() -> None:
    texts = pl.Series(["nothing", None, "one\ntwo bob@example.com\npassword=abc123", "x"])
    found = REDACTOR.find(texts)
    assert found.rows() == [(2, 1, "email", "*************om"), (2, 2, "password", "******")]


def test_what_is_redacted_already_is_found_no_more() -> None:
    texts = pl.Series(EXAMPLES)
    assert REDACTOR.find(REDACTOR.redact(texts).text).is_empty()


def test_a_text_that_looks_like_a_mark_is_just_text() -> None:
    assert REDACTOR.find(pl.Series(["[FOUND_ABCD_A] and bob@example.com"])).height == 1


def test_no_value_of_the_examples_is_in_what_is_shown() -> None:
    found = REDACTOR.find(pl.Series(EXAMPLES))
    assert not any(value.strip("*").partition(" (")[0][2:] for value in found["value"])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", ""),
        ("a", "*"),
        ("1234567", "*******"),
        ("12345678", "******78"),
        ("1234567\n", "********"),
        ("x" * 100, "*" * 40 + "xx (100 characters)"),
    ],
)
def test_masks_leave_two_characters_of_eight_or_more(value: str, shown: str) -> None:
    assert masked(value) == shown


def test_a_policy_without_rules_finds_nothing() -> None:
    assert Redactor(load_policy("none")).find(pl.Series(EXAMPLES)).is_empty()
