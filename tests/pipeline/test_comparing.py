from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.queries import sample_lake

from logshed.api import Lake
from logshed.errors import UsageError
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 2, tzinfo=UTC)
WEEK = timedelta(days=7)

TIMED = re.compile(r"date_trunc|time_bucket|extract\(")
"""What statements have that tell days and hours."""


def requests(counts: dict[tuple[datetime, str], int], **fields: Any) -> list[sample_lake.Row]:
    """So many requests for each path at each time."""
    made: list[sample_lake.Row] = []
    for (when, path), count in counts.items():
        for _ in range(count):
            place = {"url_path": path, "http_request_method": "GET", "http_response_status_code": 200}
            client = {"client_address": f"192.0.2.{len(made) % 250}", "http_response_body_size": 10}
            made.append(sample_lake.record(len(made), when, **place, **client, **fields))
    return sorted(made, key=lambda row: row["timestamp"])


def lake_of(root: Path, rows: list[sample_lake.Row]) -> Lake:
    sample_lake.write(root / "lake", rows)
    return Lake.open(root / "lake", settings=Settings.load(root, environ={}))


def days_before(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    counts = {
        (days_before(1), "/more"): 6,
        (days_before(8), "/more"): 4,
        (days_before(1), "/new"): 3,
        (days_before(8), "/gone"): 5,
        (days_before(1), "/same"): 2,
        (days_before(8), "/same"): 2,
        (days_before(20), "/same"): 50,
    }
    return lake_of(tmp_path, requests(counts))


def rows(lake: Lake, name: str, *columns: str, **asked: Any) -> list[tuple[Any, ...]]:
    return lake.run(name, now=NOW, **asked).pl().select(columns).rows()


def test_each_figure_has_its_value_of_before_and_its_change(lake: Lake) -> None:
    shown = ("path", "requests", "requests_before", "requests_change_percent")
    assert rows(lake, "top_paths", *shown, since="7d", compare="previous") == [
        ("/more", 6, 4, 50.0),
        ("/new", 3, None, None),
        ("/same", 2, 2, 0.0),
        ("/gone", None, 5, None),
    ]


def test_a_row_that_a_limit_hides_in_one_answer_is_not_said_to_be_missing_there(lake: Lake) -> None:
    shown = ("path", "requests", "requests_before")
    assert rows(lake, "top_paths", *shown, since="7d", compare="previous", limit=1) == [
        ("/more", 6, 4),
        ("/gone", None, 5),
    ]


def test_the_times_of_before_stand_beside_those_of_the_window(lake: Lake) -> None:
    shown = ("day", "requests", "requests_before", "requests_change_percent")
    found = rows(lake, "traffic", *shown, since="2d", compare="1w")
    assert found == [(days_before(1), 11, 11, 0.0)]


def test_a_day_of_25_hours_is_beside_the_same_day_of_the_week_before(tmp_path: Path) -> None:
    zone = "Europe/Berlin"
    short, long = datetime(2026, 10, 17, 22, 30, tzinfo=UTC), datetime(2026, 10, 25, 22, 30, tzinfo=UTC)
    lake = lake_of(tmp_path, requests({(short, "/"): 2, (long, "/"): 3}))
    window = {"since": "2026-10-25", "until": "2026-10-26", "timezone": zone, "compare": "1w"}
    found = rows(lake, "traffic", "day", "requests", "requests_before", **window)
    assert [(day.astimezone(UTC), *figures) for day, *figures in found] == [
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 3, 2)
    ]


@pytest.mark.parametrize("engine", ["duckdb", "clickhouse"])
def test_hours_of_a_zone_are_its_own_where_the_clock_changes(tmp_path: Path, engine: Any) -> None:
    if engine == "clickhouse":
        pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")
    times = [
        datetime(2026, 10, 24, 21, 59, tzinfo=UTC),
        *(datetime(2026, 10, 24, 22, 30, tzinfo=UTC) + timedelta(hours=hour) for hour in range(25)),
    ]
    lake = lake_of(tmp_path, requests({(when, "/"): 1 for when in times}))
    asked: dict[str, Any] = {"since": "all", "timezone": "Europe/Berlin", "engine": engine}
    assert [count for _, count in rows(lake, "traffic", "day", "requests", **asked)] == [1, 25]
    hours = {hour: count for hour, count in rows(lake, "heatmap", "hour", "requests", **asked) if count > 1}
    assert hours == {2: 2}
    assert len(rows(lake, "traffic_by_hour", "hour", **asked)) == 26
    days = rows(lake, "bandwidth", "what", "requests", by="day", **asked)
    assert days == [("2026-10-25", 25), ("2026-10-24", 1)]


def test_a_day_in_a_zone_is_found_though_files_are_left_out_by_days_in_utc(tmp_path: Path) -> None:
    when = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    lake = lake_of(tmp_path, requests({(when, "/"): 1}))
    for sql in (
        "SELECT count(*) FROM logs WHERE CAST(timestamp AS DATE) = '2026-11-01'",
        "SELECT count(*) FROM logs WHERE date_trunc('day', timestamp) = TIMESTAMPTZ '2026-11-01'",
        "SELECT count(*) FROM logs WHERE timestamp BETWEEN TIMESTAMPTZ '2026-11-01 00:30' AND '2026-11-01 00:31'",
    ):
        assert lake.query(sql, timezone="Europe/Berlin").rows() == [(1,)], sql
        assert lake.query(sql).rows() == [(0,)], sql


def test_networks_are_left_out(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, requests({(days_before(1), "/"): 10}))
    left = rows(lake, "traffic", "requests", exclude_client=["192.0.2.0/30", "192.0.2.9"], since="7d")
    assert left == [(5,)]


@pytest.mark.parametrize(
    ("name", "asked", "cause"),
    [
        ("access_trail", {"compare": "previous"}, "single records"),
        ("traffic", {"compare": "previous", "since": "all"}, "nothing lies before it"),
        ("traffic", {"compare": "soon"}, "no length of time"),
        ("traffic", {"timezone": "Mars/Olympus"}, "there is none"),
        ("traffic", {"exclude_client": "10.0.0.0/99"}, "give addresses or networks"),
    ],
)
def test_what_cannot_be_asked_is_refused(lake: Lake, name: str, asked: dict[str, Any], cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        lake.run(name, now=NOW, **asked)


@pytest.mark.soak
def test_the_rows_of_every_question_that_counts_are_told_apart_by_its_keys(tmp_path: Path) -> None:
    sample_lake.write(tmp_path / "lake", sample_lake.records(), sample_lake.findings(), sample_lake.incidents())
    lake = Lake.open(tmp_path / "lake", settings=Settings.load(tmp_path, environ={}))
    compared = 0
    for name, question in lake.questions().items():
        if question.keys:
            answer = lake.run(name, now=datetime(2024, 4, 25, tzinfo=UTC), since="14d", compare="1w").pl()
            alone = lake.run(name, since="2024-04-11", until="2024-04-25").pl()
            assert answer.head(alone.height).select(alone.columns).equals(alone), name
            compared += 1
    assert compared > 40


@pytest.mark.parametrize("part", [0, pytest.param(1, marks=pytest.mark.soak)])
def test_both_engines_answer_questions_of_days_and_hours_alike_in_a_zone_of_half_hours(
    part: int, tmp_path: Path
) -> None:
    pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")
    sample_lake.write(tmp_path / "lake", sample_lake.records(), sample_lake.findings(), sample_lake.incidents())
    lake = Lake.open(tmp_path / "lake", settings=Settings.load(tmp_path, environ={}))
    window: dict[str, Any] = {"since": "2024-04-02", "until": "2024-05-05", "timezone": "Asia/Kolkata"}
    timed = [name for name, one in lake.questions().items() if TIMED.search(one.sql)]
    assert len(timed) > 15
    for name in timed[part::2]:
        one, other = lake.run(name, **window), lake.run(name, engine="clickhouse", **window)
        assert (name, one.schema) == (name, other.schema)
        assert (name, repr(one.rows())) == (name, repr(other.rows()))  # NaN has no other way to be like NaN
