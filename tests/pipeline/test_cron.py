from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from logshed.pipeline.cron import MOST, Cron


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "zone", "after", "found"),
    [
        ("*/20 * * * *", "UTC", "2026-11-26T09:59Z", ["2026-11-26T10:00Z", "2026-11-26T10:20Z", "2026-11-26T10:40Z"]),
        ("30 2 * * mon-fri", "UTC", "2026-11-27T03:00Z", ["2026-11-30T02:30Z", "2026-12-01T02:30Z"]),
        ("0 0 29 feb *", "UTC", "2026-11-26T00:00Z", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]),
        ("0 12 1-7,L * *", "UTC", "2026-11-06T12:00Z", ["2026-11-07T12:00Z", "2026-11-30T12:00Z"]),
        ("0 9 * * *", "Asia/Tokyo", "2026-11-26T00:00Z", ["2026-11-27T00:00Z"]),
        # clocks of Berlin go from 2:00 to 3:00 on 29 March, and from 3:00 back to 2:00 on 25 October
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T03:00+01:00", ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T03:00+02:00", ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
        (
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-25T02:00+02:00",
            ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T03:30+01:00"],
        ),
        ("0 * * * *", "Europe/Berlin", "2026-03-29T01:00+01:00", ["2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00"]),
    ],
)
def test_times_follow_each_other_also_where_clocks_change(text: str, zone: str, after: str, found: list[str]) -> None:
    assert list(islice(Cron(text, zone).after(at(after)), len(found))) == [at(one) for one in found]


@pytest.mark.parametrize("text", ["30 2 * * *", "*/7 * * * *", "15 */3 * * sun"])
@pytest.mark.parametrize("begin", ["2026-03-28T12:00Z", "2026-10-24T12:00Z"])
def test_the_latest_time_is_the_last_of_those_that_come_before(text: str, begin: str) -> None:
    cron, moment = Cron(text, "Europe/Berlin"), at(begin)
    last = cron.latest(moment)
    for _ in range(40):
        moment += timedelta(minutes=37)
        last = max([one for one in (last, *cron.until(moment - timedelta(minutes=37), moment)) if one is not None])
        assert cron.latest(moment) == last


def test_a_rare_time_is_found_years_back_and_counting_many_ends() -> None:
    assert Cron("0 0 29 2 *", "UTC").latest(at("2027-12-31T00:00Z")) == at("2024-02-29T00:00Z")
    assert Cron("* * * * *", "UTC").count(at("2000-01-01T00:00Z"), at("2026-01-01T00:00Z")) == MOST
