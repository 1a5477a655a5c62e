from __future__ import annotations

from datetime import UTC, datetime

import pytest

from logshed.errors import UsageError
from logshed.queries.times import EARLIEST, moment

NOW = datetime(2026, 3, 30, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "24h": datetime(2026, 3, 29, 10, 30, tzinfo=UTC),
        "90 min ago": datetime(2026, 3, 30, 9, 0, tzinfo=UTC),
        "7d": datetime(2026, 3, 23, 10, 30, tzinfo=UTC),
        "1.5h": datetime(2026, 3, 30, 9, 0, tzinfo=UTC),
        "now": NOW,
        "today": datetime(2026, 3, 30, tzinfo=UTC),
        "Yesterday": datetime(2026, 3, 29, tzinfo=UTC),
        "all": EARLIEST,
        "2015-05-17": datetime(2015, 5, 17, tzinfo=UTC),
        "2015-05-17T10:05:03+02:00": datetime(2015, 5, 17, 8, 5, 3, tzinfo=UTC),
        "2015-05-17 10:05": datetime(2015, 5, 17, 10, 5, tzinfo=UTC),
        "99999w": EARLIEST,
    }.items(),
)
def test_a_time_is_read_as_people_write_it(text: str, expected: datetime) -> None:
    assert moment(text, now=NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "24", "5y", "2015-13-01", "99999999999999w"])
def test_what_is_no_time_is_named_with_what_is_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"cannot read the time .*; write "):
        moment(text, now=NOW)


def test_days_begin_in_the_zone_that_is_asked_for_across_a_clock_change() -> None:
    assert moment("today", now=NOW, timezone="Europe/Berlin") == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert moment("yesterday", now=NOW, timezone="Europe/Berlin") == datetime(2026, 3, 28, 23, tzinfo=UTC)
    with pytest.raises(UsageError, match="cannot use the time zone"):
        moment("today", now=NOW, timezone="Mars/Olympus")
