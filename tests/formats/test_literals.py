"""What a pattern needs is in everything it matches, so that detection passes over no line."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.formats import registry
from logshed.formats.literals import Sample, needed

FORMATS = registry.load(samples=True)


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("abc+d", ("abc",)),
        ("ab?cd", ("cd",)),
        ("(?:ab|cd)ef", ("ef",)),
        ("(?P<x>abc)d", ("abc",)),
        ("(?:abc)?de", ("de",)),
        ("(?:abc){2}", ("abc",)),
        ("ab{0,2}cd", ("cd",)),
        ("ab|cd", ()),
        ("(?i)abc", ()),
        ("[a[b]]cd", ()),
        (r"[\[\]]cd", ("cd",)),
        (r"\[abc\]", ("[abc]",)),
        (r"\d{2}abc", ("abc",)),
        (r"a\\bc", (r"a\bc",)),
        ("a(?:bc(?:d|e)fgh)i", ("fgh", "bc")),
    ],
)
def test_what_a_pattern_needs(pattern: str, texts: tuple[str, ...]) -> None:
    assert needed(pattern) == texts


def test_every_formats_samples_hold_what_the_pattern_that_takes_them_needs() -> None:
    for name, form in FORMATS.items():
        text = pl.Series([one.line for one in form.samples])
        for shape in form.shapes:
            for taken in text.filter(text.str.contains(shape.pattern)):
                assert [one for one in needed(shape.pattern) if one not in taken] == [], name


PIECES = st.recursive(
    st.sampled_from(["ab", "c", r"\.", r"\[", "x y", "[a-c]", "[^d]", r"\d", "."]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{0,1}", "+?"])).map(lambda two: f"({two[0]}){two[1]}"),
    ),
    max_leaves=8,
)


@given(PIECES, st.data())
def test_every_text_that_a_pattern_matches_holds_what_it_needs(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(pattern), fullmatch=True))
    assert [one for one in needed(pattern) if one not in text] == []
    assert Sample(["other", text]).may_match(pattern)


def test_a_sample_passes_over_patterns_whose_texts_are_on_different_lines() -> None:
    assert not Sample(["ab one", "cd two"]).may_match("ab .*cd ")
    assert Sample(["ab one", "ab cd two"]).may_match("ab .*cd ")
