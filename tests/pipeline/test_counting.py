"""Counting hits: every condition against a plain loop over the groups, and where places and habits decide."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from logshed.detections.model import Bucket, Correlation, Novelty, Rule
from logshed.pipeline.correlate import correlate

START = datetime(2026, 1, 5, tzinfo=UTC)


def _rule(**said: object) -> Rule:
    correlation = Correlation(kind="event_count", rules=("base",), group_by=("client_address",), **said)  # type: ignore[arg-type]
    return Rule(name="rule", id="1", title="Rule", correlation=correlation)


def _hits(*rows: tuple[str, float, dict[str, object]]) -> pl.DataFrame:
    made = [
        {
            "rule": "base",
            "collection": "c",
            "client_address": who,
            "timestamp": START + timedelta(seconds=after),
            **more,
        }
        for who, after, more in rows
    ]
    return pl.DataFrame(made)


@pytest.mark.parametrize("seed", range(3))
def test_windows_of_many_groups_belong_to_their_own_hits(seed: int) -> None:
    pick = random.Random(seed)  # noqa: S311 - made-up hits
    rows = [(f"198.51.100.{pick.randrange(200)}", pick.randrange(5000), {}) for _ in range(2000)]
    came = correlate(_rule(timespan_s=60, count=3), _hits(*rows))
    assert came.height == len(rows)
    for who, moment, fires in came.select("client_address", "timestamp", "fires").iter_rows():
        after = (moment - START).total_seconds()
        within = sum(other == who and after - 60 < second <= after for other, second, _ in rows)
        assert fires == (within >= 3)


def test_a_bucket_overflows_on_the_event_after_its_capacity() -> None:
    rule = _rule(timespan_s=60, bucket=Bucket(capacity=5, leak_s=10))
    came = correlate(rule, _hits(*((("192.0.2.1"), second, {}) for second in range(6))))
    assert came["fires"].to_list() == [False] * 5 + [True]


def test_a_new_value_fires_only_after_enough_known_ones_and_alone_is_returned() -> None:
    rule = _rule(timespan_s=3600, novelty=Novelty("country", 2))
    rows = [("a", 0, {"country": "DE"}), ("a", 1, {"country": "FR"}), ("a", 2, {"country": "DE"})]
    came = correlate(rule, _hits(*rows, ("a", 3, {"country": "BR"}), ("b", 4, {"country": "BR"})))
    assert came.select("client_address", "country").rows() == [("a", "BR")]


def test_a_value_is_new_again_after_the_timespan() -> None:
    rule = _rule(timespan_s=10, novelty=Novelty("country", 1))
    came = correlate(
        rule, _hits(("a", 0, {"country": "BR"}), ("a", 15, {"country": "DE"}), ("a", 16, {"country": "BR"}))
    )
    assert came["timestamp"].to_list() == [START + timedelta(seconds=16)]


@pytest.mark.parametrize(("hours", "found"), [(1, 2), (8, 0)])
def test_travel_is_impossible_when_it_is_faster_than_said(hours: float, found: int) -> None:
    berlin = {"client_geo_lat": 52.52, "client_geo_lon": 13.40}
    new_york = {"client_geo_lat": 40.71, "client_geo_lon": -74.01}  # 6,385 km away
    rule = _rule(timespan_s=86_400, travel_kmh=900)
    assert correlate(rule, _hits(("a", 0, berlin), ("a", hours * 3600, new_york))).height == found


def test_travel_crosses_the_date_line_on_the_short_side() -> None:
    fiji, samoa = (
        {"client_geo_lat": -17.7, "client_geo_lon": 178.0},
        {"client_geo_lat": -13.8, "client_geo_lon": -171.8},
    )
    rule = _rule(timespan_s=86_400, travel_kmh=900)
    assert correlate(rule, _hits(("a", 0, fiji), ("a", 5400, samoa))).is_empty()  # 1,170 km in an hour and a half


def test_hits_without_a_place_take_no_part_in_travel() -> None:
    nowhere = {"client_geo_lat": None, "client_geo_lon": None}
    rule = _rule(timespan_s=86_400, travel_kmh=900)
    assert correlate(rule, _hits(("a", 0, nowhere), ("a", 1, nowhere))).is_empty()


def test_few_records_a_value_tell_spraying_from_guessing() -> None:
    said = {"kind": "value_count", "value": "user_id", "per_value": 2.0, "timespan_s": 60, "count": 3}
    correlation = Correlation(rules=("base",), group_by=("client_address",), **said)  # type: ignore[arg-type]
    rule = Rule(name="rule", id="1", title="Rule", correlation=correlation)
    users = [("a", second, {"user_id": f"u{second % 3}"}) for second in range(9)]
    assert correlate(rule, _hits(*users[:6]))["fires"].to_list() == [False, False, True, True, True, True]
    assert not correlate(rule, _hits(*users))["fires"].to_list()[-1]
