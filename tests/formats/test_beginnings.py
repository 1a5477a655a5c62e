"""What a pattern must begin with is what everything it matches begins with, so that detection passes over no line."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.formats import registry
from logshed.formats.beginnings import Beginnings, beginning

FORMATS = registry.load(samples=True)
PIECES = st.recursive(
    st.sampled_from(["ab", "c", "0", r"\.", r"\[", "x y", "[a-c]", "[^d]", r"[\[(]", r"\d", r"\S", "."]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{0,1}", "{1,3}", "{2,}", "+?"])).map(
            lambda two: f"({two[0]}){two[1]}"
        ),
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("pattern", "places"),
    [
        ("^ab", ("a", "b")),
        ("(?s)^ab?c", ("a", "bc")),
        ("^(?:ab|cd)e", ("ac", "bd", "e")),
        ("^(?P<x>[0-2]{2})-", ("012", "012", "-")),
        ("^a{2,3}b", ("a", "a")),
        (r"^\[?[ab]", ("[ab",)),
        ("^a+b", ("a",)),
        ("^a*b", ("ab",)),
        ("^ab|cd", ()),
        ("ab", ()),
        ("(?i)^ab", ()),
        ("^[a[b]]c", ()),
        (r"^\pLb", ()),
        ("^(?:(?i)a)b", ()),
    ],
)
def test_what_a_pattern_begins_with(pattern: str, places: tuple[str, ...]) -> None:
    assert beginning(pattern) == tuple(map(frozenset, places))


def test_every_formats_samples_begin_as_the_pattern_that_takes_them_does() -> None:
    for name, form in FORMATS.items():
        text = pl.Series([one.line for one in form.samples])
        for shape in form.shapes:
            taken = text.filter(text.str.contains(shape.pattern)).to_list()
            assert [line for line in taken if not Beginnings([line]).may_match(shape.pattern)] == [], name


@given(PIECES, st.text(), st.data())
def test_every_line_that_a_pattern_matches_begins_as_it_must(pattern: str, rest: str, data: st.DataObject) -> None:
    line = data.draw(st.from_regex(re.compile(pattern), fullmatch=True)) + rest
    if pl.Series([line]).str.contains(f"^{pattern}").item():
        assert Beginnings(["other", line]).may_match(f"^{pattern}")


def test_lines_that_begin_with_other_characters_than_a_pattern_are_passed_over() -> None:
    assert not Beginnings(["ab", "cd"]).may_match("^[0-9]")
    assert not Beginnings(["2026-11-26 one", "Nov 26 two"]).may_match("^[0-9]{4}-[0-9]{2}-[0-9]{2}T")


def test_a_line_that_begins_with_a_letter_of_another_script_is_asked_of_every_pattern() -> None:
    assert Beginnings(["é"]).may_match("^[0-9]")
