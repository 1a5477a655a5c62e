"""What is taken out of a message by its form alone."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.patterns.masks import LONGEST, masked, masks, zeroed

EXAMPLES = [(one.name, *example) for one in masks() for example in one.examples]


def _masked(*messages: str | None) -> list[str | None]:
    return masked(zeroed(pl.Series(messages, dtype=pl.String))).to_list()


@pytest.mark.parametrize(("name", "message", "expected"), EXAMPLES)
def test_a_masks_examples_become_what_its_file_says(name: str, message: str, expected: str) -> None:
    assert _masked(message) == [expected], name


def test_every_mask_has_an_example() -> None:
    assert all(one.examples for one in masks())


def test_a_name_belongs_to_one_mask() -> None:
    assert len({one.name for one in masks()}) == len(masks())


@pytest.mark.parametrize("tag", ["[EMAIL]", "[TOKEN]", "[CREDIT_CARD]", "[IP]"])
def test_tags_of_redaction_stay(tag: str) -> None:
    assert _masked(f"mail to {tag} failed") == [f"mail to {tag} failed"]


def test_only_the_first_line_of_a_message_counts() -> None:
    assert _masked("it broke\n  at a.b(C.java:5)\n", "\nit broke\r\nhere") == ["it broke", "it broke"]


def test_blanks_are_made_single_ones() -> None:
    assert _masked("  a \t b\u0000c  ") == ["a b c"]


def test_nulls_stay_null_and_places_stay_the_same() -> None:
    assert _masked(None, "took 5ms", None, "") == [None, "took <DURATION>", None, ""]


def test_a_slice_of_a_column_is_read_by_its_own_bytes() -> None:
    column = pl.Series([f"number {count}" for count in range(100)])
    assert zeroed(column.slice(42, 2)).to_list() == ["number 00", "number 00"]


def test_a_long_message_is_cut() -> None:
    (text,) = zeroed(pl.Series(["é" * 10 * LONGEST])).to_list()
    assert len(text) == LONGEST


def test_a_message_cannot_forge_the_sign_for_quotes_set_aside() -> None:
    assert _masked('say \x02 "x"') == ["say <STR>"]


@given(st.lists(st.text(max_size=60)))
def test_any_text_becomes_one_line_without_digits(messages: list[str]) -> None:
    for text in _masked(*messages):
        assert text is not None
        assert not any(digit in text for digit in "0123456789\n")


@given(st.lists(st.text(alphabet="ab 019:./-[](),='\"<>", max_size=40)))
def test_which_digits_a_message_has_makes_no_difference(messages: list[str]) -> None:
    assert _masked(*messages) == _masked(*(text.replace("1", "7").replace("9", "2") for text in messages))
