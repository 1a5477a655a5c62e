"""Counting as a stream gives what counting at once gives, in bounded memory; and what changed between two times."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logshed.patterns import Tally, fresh, templates_of
from logshed.patterns import tally as tallying
from logshed.patterns.summary import SUMMARY

START = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = ["masked", "bucket", "severity_number", "severity_text", "service_name"]
LETTERS = "abcdefgh"


def _rows(bodies: list[str]) -> pl.DataFrame:
    times = [START + timedelta(minutes=minute) for minute in range(len(bodies))]
    services = [f"service {len(body) % 3}" for body in bodies]
    return pl.DataFrame(
        {"body": bodies, "timestamp": times, "service_name": services},
        schema={"body": pl.String, "timestamp": pl.Datetime("us", "UTC"), "service_name": pl.String},
    )


def _tally(rows: pl.DataFrame, size: int, most: int = 1_000) -> Tally:
    tally = Tally(START, START + timedelta(hours=1), most=most)
    for start in range(0, max(rows.height, 1), size):
        tally.add(rows.slice(start, size))
    return tally


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "7", "x=1", "c"]), max_size=5).map(" ".join), max_size=50),
    st.integers(1, 20),
    st.integers(1, 12),
    st.randoms(),
)
def test_order_and_batches_make_no_difference_also_where_messages_are_compared_by_fewer_words(
    bodies: list[str], size: int, most: int, random: object
) -> None:
    rows = _rows(bodies)
    order = list(range(rows.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallying, "PENDING_ROWS", 5)
        one, other = _tally(rows, 1_000, most), _tally(rows[order], size, most)
        assert one.tokens == other.tokens
        assert_frame_equal(one.frame.sort(KEYS), other.frame.sort(KEYS))
        templates = [templates_of(tally.frame["masked"]).sort("masked") for tally in (one, other)]
        assert_frame_equal(*templates)


def test_too_many_different_messages_are_compared_by_fewer_words() -> None:
    bodies = [" ".join(("say", *words)) for words in itertools.product(LETTERS, repeat=4)]
    tally = _tally(_rows(bodies), 1_000, most=600)
    assert tally.tokens == 3
    assert tally.frame.height <= 600
    assert tally.messages == tally.frame["count"].sum() == len(bodies)


def test_a_tally_is_bounded_where_all_words_differ() -> None:
    bodies = ["".join(word) for word in itertools.product(LETTERS, repeat=4)]
    tally = _tally(_rows(bodies), 1_000, most=100)
    assert tally.tokens == 0
    assert set(tally.frame["masked"]) == {"<*>"}


def test_nulls_and_blanks_are_no_messages() -> None:
    tally = Tally()
    tally.add(pl.DataFrame({"body": [None, "", " ", "x"]}))
    assert tally.messages == 1


def test_a_tally_of_nothing_has_the_columns_of_any() -> None:
    assert list(Tally().frame.columns)[:5] == KEYS


def test_templates_of_one_time_alone_are_new_or_vanished() -> None:
    before = pl.DataFrame({"body": ["took 5 s", "took 7 s", "old news", "old news"]})
    now = pl.DataFrame({"body": ["took 9 s", "disk is full"]})
    found = fresh(before, now)
    assert found.columns == ["change", *SUMMARY]
    assert found.select("change", "template", "count").rows() == [
        ("new", "disk is full", 1),
        ("vanished", "old news", 2),
    ]


def test_a_message_that_fits_a_template_of_the_time_before_is_not_new() -> None:
    before = pl.DataFrame({"body": [f"user {name} logged in" for name in ("ann", "ben", "cem", "dan", "eva")]})
    assert fresh(before, pl.DataFrame({"body": ["user zoe logged in"]})).is_empty()


def test_times_that_were_tallied_are_compared_as_records_are() -> None:
    before, now = _rows(["a b c", "d e f"]), _rows(["a b c", "g h i"])
    by_tally = fresh(_tally(before, 1), _tally(now, 2))
    columns = ["change", "id", "template", "count", "share"]
    assert_frame_equal(by_tally.select(columns), fresh(before, now).select(columns))


def test_times_of_which_one_was_compared_by_fewer_words_are_both_compared_so() -> None:
    many = [" ".join(("say", *words)) for words in itertools.product(LETTERS, repeat=3)]
    before = _tally(_rows(many), 1_000, most=100)
    assert before.tokens < 4
    assert fresh(before, _tally(_rows(many[:1]), 1)).filter(pl.col("change") == "new").is_empty()


@pytest.mark.parametrize("empty", ["baseline", "window"])
def test_where_one_time_is_empty_all_templates_are_of_the_other(empty: str) -> None:
    none, some = _rows([]), _rows(["a", "b"])
    found = fresh(none, some) if empty == "baseline" else fresh(some, none)
    assert set(found["change"]) == {"new" if empty == "baseline" else "vanished"}
    assert found.height == 2
