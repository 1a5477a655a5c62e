from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.errors import QueryError
from logshed.search import parse
from logshed.search.context import Context, context, written
from logshed.search.model import Match


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("|", ("field", 0, 0, "", "")),
        ("ser|", ("field", 0, 3, "ser", "")),
        ("ser|vice", ("field", 0, 7, "ser", "")),
        ("-ser|", ("field", 1, 4, "ser", "")),
        ("(a OR ser|", ("field", 6, 9, "ser", "")),
        ("status:5|", ("value", 7, 8, "5", "status")),
        ("status:|", ("value", 7, 7, "", "status")),
        ("sta|tus:500", ("field", 0, 6, "sta", "")),
        ("status:500 |", ("field", 11, 11, "", "")),
        ("status:>=50|", ("value", 9, 11, "50", "status")),
        ("status!=|", ("value", 8, 8, "", "status")),
        ("level:(warn,er|", ("value", 12, 14, "er", "level")),
        ("level:(|", ("value", 7, 7, "", "level")),
        ("level:(warn, |", ("value", 13, 13, "", "level")),
        ("level:(warn) x|", ("field", 13, 14, "x", "")),
        ('service:"a b|', ("value", 8, 12, "a b", "service")),
        ('service:"a b|c" d', ("value", 8, 14, "a b", "service")),
        ('"a level:|', ("field", 0, 9, "a level:", "")),
        ('attributes."odd key":va|', ("value", 21, 23, "va", "attributes.odd key")),
        ("level:error service:pay|", ("value", 20, 23, "pay", "service")),
        ("http.response.sta|", ("field", 0, 17, "http.response.sta", "")),
    ],
)
def test_the_place_of_the_cursor_says_what_is_being_written(marked: str, expected: tuple[Any, ...]) -> None:
    at = marked.index("|")
    assert context(marked.replace("|", "", 1), at) == Context(*expected)


@given(st.text(st.sampled_from('ab:=<>!~()"\\-., *\n'), max_size=30), st.integers(0, 40))
def test_any_text_has_a_context_whose_place_lies_in_it(text: str, at: int) -> None:
    found = context(text, at)
    assert 0 <= found.begin <= found.end <= len(text)
    assert (found.kind == "value") == bool(found.field)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40))
def test_a_value_is_written_so_that_a_search_reads_the_same_one(value: str) -> None:
    tree = parse(f"attributes.x:{written(value)}")
    assert isinstance(tree, Match)
    assert tree.values[0].text == value


def test_plain_values_stay_plain_and_others_are_quoted() -> None:
    assert [written(value) for value in ("pay", "/a/b.php", "10.0.0.1", "2001:db8::1")] == [
        "pay",
        "/a/b.php",
        "10.0.0.1",
        "2001:db8::1",
    ]
    for value in ("a b", "a*", "-x", "~x", "AND", "1..2", "", "a(b", 'a"b', ">5", "10.0.0.0/8 "):
        assert written(value).startswith('"')


def test_what_is_written_is_refused_by_none_but_the_unreadable() -> None:
    with pytest.raises(QueryError, match="no text"):
        parse(f"service:{written(chr(0))}")
