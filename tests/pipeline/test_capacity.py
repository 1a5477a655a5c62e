from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.queries import sample_lake

from logshed.api import Lake
from logshed.errors import UsageError
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 8, 3, tzinfo=UTC)  # a Monday
WEEKS = 5


def rate(hour: int) -> int:
    """Requests of an hour: more on each day than on the last, and twice as many at noon."""
    return (10 + hour // 24) * (2 if hour % 24 == 12 else 1)


def lake_of(root: Path, hours: int, service: str | None = "shop") -> Lake:
    rows = []
    for hour in range(hours + 1):  # the last one is not over
        for number in range(rate(hour) if hour < hours else 1):
            fields = {"service_name": service, "url_path": "/", "http_response_body_size": 3_600}
            rows.append(sample_lake.record(len(rows), START + timedelta(hours=hour, seconds=number), **fields))
    sample_lake.write(root / "lake", rows)
    return Lake.open(root / "lake", settings=Settings.load(root, environ={}))


def asked(lake: Lake, **options: Any) -> dict[str, dict[str, Any]]:
    frame = lake.capacity(since=START, horizon="7d", **options).pl()
    return {one["metric"]: one for one in frame.to_dicts()}


def test_what_grows_by_one_a_day_goes_on_and_reaches_its_limit_when_it_must(tmp_path: Path) -> None:
    length = WEEKS * 7 * 24
    found = asked(lake_of(tmp_path, length), limit_rate=100 / 3_600, limit_bytes=100.5, per_replica=0.004)
    ahead = [rate(hour) for hour in range(length, length + 7 * 24)]
    one = found["rate"]
    assert one["note"] is None
    assert one["history_days"] == WEEKS * 7
    assert one["expected"] == pytest.approx(sum(ahead) / len(ahead) / 3_600, rel=0.03)
    assert one["peak"] == pytest.approx(max(ahead) / 3_600, rel=0.05)
    noons = [hour for hour in range(length, 2 * length, 24) if rate(hour + 12) >= 100]
    assert abs(one["reached_at"] - (START + timedelta(hours=noons[0] + 12))) <= timedelta(days=3)
    assert one["earliest_at"] <= one["reached_at"]
    assert one["replicas"] == math.ceil(one["p95"] / 0.004)
    assert sorted(ahead)[len(ahead) * 9 // 10] / 3_600 <= one["p95"] <= one["peak_high"]
    assert found["bytes"]["expected"] == pytest.approx(one["expected"] * 3_600, rel=1e-6)
    assert found["bytes"]["replicas"] is None
    assert one["trend_percent_a_week"] == pytest.approx(7 * 100 / rate(length - 1), rel=0.05)


def test_a_limit_that_is_never_reached_has_no_time(tmp_path: Path) -> None:
    assert asked(lake_of(tmp_path, 21 * 24), limit_rate=1_000_000)["rate"]["reached_at"] is None


def test_every_hour_is_there_with_its_interval(tmp_path: Path) -> None:
    frame = lake_of(tmp_path, 21 * 24).capacity(since=START, horizon="2d", hours=True).pl()
    own = frame.filter(frame["metric"] == "rate")
    assert own["time"].to_list() == [START + timedelta(hours=hour) for hour in range(23 * 24)]
    assert own["actual"].head(21 * 24).to_list() == [rate(hour) / 3_600 for hour in range(21 * 24)]
    later = own.tail(48)
    assert later["actual"].null_count() == 48
    assert (later["low"] <= later["expected"]).all()
    assert (later["expected"] <= later["high"]).all()


@pytest.mark.parametrize(
    ("hours", "note"),
    [
        (50, "less than a week of history: no trend, and hours of the day only"),
        (24 * 10, "less than two weeks of history: hours of the day only"),
    ],
)
def test_a_short_history_is_said_to_be_short(tmp_path: Path, hours: int, note: str) -> None:
    one = asked(lake_of(tmp_path, hours))["rate"]
    assert one["note"] == note
    assert (one["trend_percent_a_week"] is None) == (hours == 50)


def test_less_than_two_days_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the longest history has 47 hours and 48 are needed"):
        asked(lake_of(tmp_path, 47))


def test_a_lake_without_requests_is_said_to_have_none(tmp_path: Path) -> None:
    sample_lake.write(tmp_path / "lake", [sample_lake.record(1, START)])
    with pytest.raises(UsageError, match="there are no requests in that time"):
        Lake.open(tmp_path / "lake").capacity(since="all")


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"per_replica": 0}, "cannot take per_replica = 0"),
        ({"limit_rate": -1}, "cannot take limit_rate = -1"),
        ({"coverage": 1}, "cannot take coverage = 1"),
        ({"horizon": "soon"}, "'soon': it is no length of time"),
        ({"horizon": "800d"}, "cannot look 800d ahead"),
    ],
)
def test_values_that_make_no_sense_are_refused(tmp_path: Path, options: dict[str, Any], cause: str) -> None:
    sample_lake.write(tmp_path / "lake", [])
    with pytest.raises(UsageError, match=cause):
        Lake.open(tmp_path / "lake").capacity(**options)


def test_a_service_with_a_hostile_name_is_forecast_alone(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 60, sample_lake.DROP)
    assert asked(lake, service=sample_lake.DROP)["rate"]["service"] == sample_lake.DROP
