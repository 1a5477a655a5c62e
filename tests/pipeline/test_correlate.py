"""Correlations count as their definitions say, told apart by slow and plain reckoning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.detections.model import Bucket, Correlation, Rule
from logshed.pipeline.correlate import correlate

START = datetime(2026, 1, 5, tzinfo=UTC)
SPAN = 60

hits = st.lists(
    st.tuples(
        st.integers(0, 600), st.sampled_from(["192.0.2.1", "192.0.2.2"]), st.sampled_from("abc"), st.sampled_from("rs")
    ),
    min_size=1,
    max_size=40,
)


def frame(found: list[tuple[int, str, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "rule": [rule for *_, rule in found],
            "timestamp": pl.Series([START + timedelta(seconds=after) for after, *_ in found]).cast(
                pl.Datetime("us", "UTC")
            ),
            "collection": ["c"] * len(found),
            "client_address": [address for _, address, _, _ in found],
            "user_id": [user for _, _, user, _ in found],
            "offset": list(range(len(found))),
        }
    )


def fired(found: list[tuple[int, str, str, str]], **asked: Any) -> dict[int, bool]:
    rules = asked.pop("rules", ("r", "s"))
    rule = Rule("x", "id", "x", correlation=Correlation(rules=rules, group_by=("client_address",), **asked))
    return dict(correlate(rule, frame(found)).select("offset", "fires").iter_rows())


def window(found: list[tuple[int, str, str, str]], place: int) -> list[tuple[int, str, str, str]]:
    after, address, _, _ = found[place]
    return [one for one in found if one[1] == address and after - SPAN < one[0] <= after]


@given(hits)
@settings(max_examples=60, deadline=None)
def test_a_count_takes_the_records_of_the_span_up_to_each_one(found: list[tuple[int, str, str, str]]) -> None:
    came = fired(found, kind="event_count", timespan_s=SPAN, op="gte", count=3)
    assert came == {place: len(window(found, place)) >= 3 for place in range(len(found))}


@given(hits)
@settings(max_examples=60, deadline=None)
def test_values_are_counted_once_each(found: list[tuple[int, str, str, str]]) -> None:
    came = fired(found, kind="value_count", timespan_s=SPAN, op="gt", count=1, value="user_id")
    assert came == {place: len({one[2] for one in window(found, place)}) > 1 for place in range(len(found))}


@given(hits)
@settings(max_examples=60, deadline=None)
def test_rules_that_must_come_together_all_come(found: list[tuple[int, str, str, str]]) -> None:
    came = fired(found, kind="temporal", timespan_s=SPAN, op="gte", count=2)
    assert came == {place: len({one[3] for one in window(found, place)}) == 2 for place in range(len(found))}


@given(hits)
@settings(max_examples=60, deadline=None)
def test_a_bucket_leaks_as_if_it_were_filled_drop_by_drop(found: list[tuple[int, str, str, str]]) -> None:
    came = fired(found, kind="event_count", timespan_s=SPAN, bucket=Bucket(3, 10))
    level: dict[str, float] = {}
    last: dict[str, int] = {}
    should = {}
    for place in sorted(range(len(found)), key=lambda place: found[place][0]):
        after, address, *_ = found[place]
        level[address] = max(0.0, level.get(address, 0.0) - (after - last.get(address, after)) / 10) + 1
        last[address] = after
        should[place] = level[address] > 3 + 1e-9
    assert came == should


def test_an_order_is_kept() -> None:
    right = [(0, "192.0.2.1", "a", "r"), (10, "192.0.2.1", "a", "s")]
    wrong = [(10, "192.0.2.1", "a", "r"), (0, "192.0.2.1", "a", "s")]
    late = [(0, "192.0.2.1", "a", "r"), (61, "192.0.2.1", "a", "s")]
    asked = {"kind": "temporal_ordered", "timespan_s": SPAN, "count": 2}
    assert fired(right, **asked) == {0: False, 1: True}
    assert not any(fired(wrong, **asked).values())
    assert not any(fired(late, **asked).values())


def test_a_bucket_of_different_values_takes_each_once() -> None:
    same = [(place, "192.0.2.1", "a", "r") for place in range(9)]
    others = [(place, "192.0.2.1", "abcd"[place], "r") for place in range(4)]
    asked = {"kind": "event_count", "timespan_s": SPAN, "bucket": Bucket(3, 10, "user_id")}
    assert not any(fired(same, **asked).values())
    assert any(fired(others, **asked).values())


def test_records_without_what_groups_them_do_not_count() -> None:
    rule = Rule("x", "id", "x", correlation=Correlation("event_count", ("r",), ("client_address",), SPAN, count=1))
    rows = frame([(0, "192.0.2.1", "a", "r")]).with_columns(client_address=pl.lit(None, pl.String))
    assert correlate(rule, rows).is_empty()
