from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from tests.queries import sample_lake

from logshed.api import Lake
from logshed.lake.batch import new_batch
from logshed.pipeline.objectives import WINDOWS, look
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.queries.sample_lake import Row

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OBJECTIVES = """
[[objective]]
name = "shop answers"
target = 99
service = "sh*"
[[objective]]
name = "all is quick"
kind = "latency"
threshold_ms = 250
target = 95
window = "7d"
[[objective]]
name = "nobody"
target = 99.9
service = "none"
"""


def requests() -> list[Row]:
    """30 days of three services: denser towards the end, some failed, some slow, some of them no requests at all."""
    dice = random.Random(3)  # noqa: S311 - a test's dice
    rows = []
    for number in range(4_000):
        fields: dict[str, Any] = {
            "service_name": dice.choice(["shop", "shell", "pay", None]),
            "collection": dice.choice(["web", "app"]),
        }
        if dice.random() < 0.9:
            fields |= {"http_request_method": "GET", "url_path": "/a"}
            fields["http_response_status_code"] = dice.choice([200] * 12 + [404, 500, None])
        fields["severity_number"] = dice.choice([None, 9, 17])
        fields["duration_ms"] = dice.choice([None, float("nan"), 10.0, 250.0, 250.001, 4_000.0])
        when = NOW - timedelta(hours=dice.choice([0.1, 1, 6, 72, 720]) * dice.random())
        rows.append(sample_lake.record(number, when, **fields))
    return sorted(rows, key=lambda row: row["timestamp"])


def lake_of(root: Path, rows: list[Row], settings: str) -> Lake:
    (root / "logshed.toml").write_text(settings)
    sample_lake.write(root / "lake", rows)
    return Lake.open(root / "lake", settings=Settings.load(root, environ={}))


def is_request(row: Row) -> bool:
    return any(row.get(name) is not None for name in ("http_request_method", "url_path", "http_response_status_code"))


def is_failed(row: Row) -> bool:
    status = row.get("http_response_status_code")
    return status >= 500 if status is not None else (row.get("severity_number") or 0) >= 17


def counted(rows: list[Row], objective: Any, since: datetime) -> tuple[int, int]:
    """Requests and good ones, slowly."""
    total = good = 0
    for row in rows:
        if not since <= row["timestamp"] < NOW:
            continue
        if objective.kind == "availability":
            if is_request(row):
                total, good = total + 1, good + (not is_failed(row))
        elif row.get("duration_ms") is not None and row["duration_ms"] == row["duration_ms"]:
            total, good = total + 1, good + (row["duration_ms"] <= objective.threshold_ms)
    return total, good


def test_budgets_and_burn_rates_are_those_of_plain_counting(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, rows := requests(), OBJECTIVES)
    found = {(one["objective"], one["collection"], one["service"]): one for one in lake.slo(now=NOW).pl().to_dicts()}
    checked = 0
    for objective in lake.settings.objective[:2]:
        for collection in ("web", "app"):
            for service in {
                row["service_name"] for row in rows if fnmatchcase(row["service_name"] or "", objective.service)
            }:
                own = [row for row in rows if (row["collection"], row["service_name"]) == (collection, service)]
                one = found.pop((objective.name, collection, service))
                total, good = counted(own, objective, NOW - timedelta(days=28 if objective.window == "28d" else 7))
                allowed = 1 - objective.target / 100
                assert (one["total"], one["good"]) == (total, good)
                assert one["achieved"] == pytest.approx(100 * good / total)
                assert one["budget_left_percent"] == pytest.approx(100 * (1 - (1 - good / total) / allowed))
                for name, length in WINDOWS.items():
                    part, well = counted(own, objective, NOW - length)
                    rate = (1 - well / part) / allowed if part else None
                    assert one[f"burn_{name}"] == (None if rate is None else pytest.approx(rate, abs=1e-9))
                checked += 1
    assert checked == 2 * 2 + 2 * 4
    assert {(*name, one["status"], one["total"]) for name, one in found.items()} == {
        ("nobody", None, None, "no requests", 0)
    }


def series(parts: list[tuple[timedelta, timedelta, int, int]]) -> list[Row]:
    """Requests of one service: for each part from how long ago to how long ago, how many, and how many of them fail."""
    rows = []
    for begin, end, count, bad in parts:
        for number in range(count):
            when = NOW - begin + (begin - end) * number / count
            status = 500 if number * bad // count != (number + 1) * bad // count else 200
            fields = {"service_name": "shop", "http_response_status_code": status, "url_path": "/"}
            rows.append(sample_lake.record(len(rows), when, **fields))
    return sorted(rows, key=lambda row: row["timestamp"])


DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
CALM = (28 * DAY, 3 * DAY, 40_000, 0)


@pytest.mark.parametrize(
    ("parts", "status", "alarm"),
    [
        ([CALM, (HOUR, 0 * HOUR, 1_000, 20)], "page", "14.4 over 1h and 5m"),
        ([CALM, (HOUR, 0 * HOUR, 1_000, 14)], "page", "6 over 6h and 30m"),
        ([CALM, (2 * DAY, DAY, 1_000, 20), (6 * HOUR, 0 * HOUR, 500, 0)], "ok", None),
        ([CALM, (6 * HOUR, 0 * HOUR, 1_000, 5)], "ticket", "1 over 3d and 6h"),
        ([CALM, (3 * DAY, DAY, 2_000, 2), (DAY, 0 * HOUR, 1_000, 0)], "ok", None),
        ([CALM, (3 * DAY, 2 * DAY, 3_000, 300), (HOUR, 0 * HOUR, 1_000, 0)], "spent", None),
        ([CALM, (MINUTE, 0 * HOUR, 5, 5)], "ok", None),
        ([(28 * DAY, 20 * DAY, 1_000, 0)], "ok", None),
    ],
    ids=["fast", "less fast", "over", "slow", "within the budget", "spent", "too few to say", "silent"],
)
def test_an_alert_holds_over_its_long_and_its_short_window(
    tmp_path: Path, parts: list[tuple[timedelta, timedelta, int, int]], status: str, alarm: str | None
) -> None:
    lake = lake_of(tmp_path, series(parts), '[[objective]]\nname = "o"\ntarget = 99.9\n')

    def ask(sql: str, params: Any) -> Any:
        return lake.query(sql, params=dict(params)).pl()

    (one,) = look(ask, lake.settings.objective, NOW).to_dicts()
    assert (one["status"], one["alarm"]) == (status, alarm)


def test_the_budget_lasts_as_long_as_the_rate_of_the_last_six_hours_says(tmp_path: Path) -> None:
    parts = [(28 * DAY, 6 * HOUR, 9_000, 5), (6 * HOUR, 0 * HOUR, 1_000, 2)]
    lake = lake_of(tmp_path, series(parts), '[[objective]]\nname = "o"\ntarget = 99.9\n')
    (one,) = lake.slo(now=NOW).pl().to_dicts()
    assert one["budget_left_percent"] == pytest.approx(30)  # 7 of the 10 that may fail
    assert one["burn_6h"] == pytest.approx(2)
    assert (one["used_up_at"] - NOW) / DAY == pytest.approx(28 * 0.3 / 2, abs=1e-4)


def test_what_burns_is_a_finding_once_that_grows_and_opens_an_incident(tmp_path: Path) -> None:
    now, batch = datetime.now(UTC), new_batch()

    def failing(count: int, begin: int) -> list[Row]:
        fields = {"service_name": "'; DROP", "http_response_status_code": 503, "url_path": "/", "batch": batch}
        return [
            sample_lake.record(begin + number, now - timedelta(minutes=3) + timedelta(seconds=number), **fields)
            for number in range(count)
        ]

    settings = '[[objective]]\nname = "<b>o"\ntarget = 99.9\n'
    lake = lake_of(tmp_path, failing(60, 0), settings)
    first = lake.security.detect(["slo_*"])
    assert [(one["rule_name"], one["actor"], one["event_count"]) for one in first.findings.to_dicts()] == [
        ("slo_burns_fast", "'; DROP", 60)
    ]
    assert lake.query("SELECT actor, status FROM incidents").rows() == [("'; DROP", "open")]
    (tmp_path / "lake" / "security" / "objectives.json").unlink()
    assert lake.security.detect(["slo_*"]).findings.is_empty()
    assert lake.query("SELECT count(*) FROM findings").rows() == [(1,)]
    told = lake.query("SELECT explanation, attributes['objective'] FROM findings").rows()
    assert told[0][0].startswith(
        "Objective '<b>o' of service \"'; DROP\": 0.000 % of 99.9 % in 28d, burn rate above 14.4"
    )
    assert told[0][1] == "<b>o"


def test_a_disabled_rule_of_objectives_writes_nothing(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    fields = {"service_name": "a", "http_response_status_code": 503, "url_path": "/", "batch": new_batch()}
    rows = [sample_lake.record(number, now - timedelta(seconds=100 - number), **fields) for number in range(60)]
    settings = '[detect]\ndisabled = ["*"]\n[[objective]]\nname = "o"\ntarget = 99.9\n'
    lake = lake_of(tmp_path, rows, settings)
    lake.security.detect()
    assert lake.query("SELECT count(*) FROM findings").rows() == [(0,)]
