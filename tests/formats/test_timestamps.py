"""Times in any common form, and how sure they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.formats.timestamps import parse_times

OBSERVED = datetime(2026, 1, 2, 12, tzinfo=UTC)


def read(text: str, *forms: str, timezone: str | None = None, observed: datetime = OBSERVED) -> tuple[str | None, str]:
    moments, sources = parse_times(pl.Series([text]), forms or ("iso", "epoch"), observed=observed, timezone=timezone)
    moment = moments[0]
    return (moment.isoformat().replace("+00:00", "Z") if moment else None), sources[0]


@pytest.mark.parametrize(
    ("text", "expected", "source"),
    [
        ("2024-12-15T14:23:45.123Z", "2024-12-15T14:23:45.123000Z", "event"),
        ("2024-12-15T14:23:45+02:00", "2024-12-15T12:23:45Z", "event"),
        ("2024-12-15T14:23:45.5+0530", "2024-12-15T08:53:45.500000Z", "event"),
        ("2024-12-15 14:23:45 -0800", "2024-12-15T22:23:45Z", "event"),
        ("2024-12-15 14:23:45,123", "2024-12-15T14:23:45.123000Z", "inferred_zone"),
        ("2024-12-15 14:23", "2024-12-15T14:23:00Z", "inferred_zone"),
        ("2024/12/15 14:23:45", "2024-12-15T14:23:45Z", "inferred_zone"),
        ("2024-12-15 14:23:45 UTC", "2024-12-15T14:23:45Z", "event"),
        ("2024-12-15 14:23:45.25-300", "2024-12-15T19:23:45.250000Z", "event"),
        ("2024-12-15T24:00:00Z", "2024-12-16T00:00:00Z", "event"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "event"),
        ("20241215T142345Z", "2024-12-15T14:23:45Z", "event"),
        ("15/Dec/2024:14:23:45 +0100", "2024-12-15T13:23:45Z", "event"),
        ("15 Dezember 2024 14:23:45", "2024-12-15T14:23:45Z", "inferred_zone"),
        ("3 août 2024 14:23:45", "2024-08-03T14:23:45Z", "inferred_zone"),
        ("5 enero 2024 14:23:45", "2024-01-05T14:23:45Z", "inferred_zone"),
        ("Sun Dec 15 14:23:45 2024", "2024-12-15T14:23:45Z", "inferred_zone"),
        ("Dec 15, 2024 2:23:45 PM", "2024-12-15T14:23:45Z", "inferred_zone"),
        ("Sun, 15 Dec 2024 14:23:45 GMT", "2024-12-15T14:23:45Z", "event"),
        ("1734272625", "2024-12-15T14:23:45Z", "event"),
        ("1734272625.25", "2024-12-15T14:23:45.250000Z", "event"),
        ("1734272625123", "2024-12-15T14:23:45.123000Z", "event"),
        ("1734272625123456", "2024-12-15T14:23:45.123456Z", "event"),
        ("1734272625123456789", "2024-12-15T14:23:45.123456Z", "event"),
        ("1989-12-31T23:59:59Z", None, "observed"),
        ("2026-01-03T12:00:01Z", None, "observed"),
        ("Oct 9 13:06:36", "2025-10-09T13:06:36Z", "inferred_year"),
        ("9 Oct 13:06:36", "2025-10-09T13:06:36Z", "inferred_year"),
        ("9 Oct 13 06:36:00", "2013-10-09T06:36:00Z", "inferred_zone"),
        ("yesterday", None, None),
        ("2024-02-30 10:00:00", None, None),
        ("", None, None),
    ],
)
def test_a_time_is_read(text: str, expected: str | None, source: str | None) -> None:
    assert read(text) == (expected, source)


@pytest.mark.parametrize(
    ("text", "observed", "expected"),
    [
        ("Dec 31 23:59:59", "2026-01-01T00:00:05+00:00", "2025-12-31T23:59:59Z"),
        ("Jan  1 00:00:01", "2025-12-31T23:59:50+00:00", "2026-01-01T00:00:01Z"),
        ("Jan  3 00:00:01", "2026-01-01T12:00:00+00:00", "2025-01-03T00:00:01Z"),
        ("Feb 29 10:00:00", "2026-06-01T12:00:00+00:00", "2024-02-29T10:00:00Z"),
        ("Feb 29 10:00:00", "2103-06-01T12:00:00+00:00", "2096-02-29T10:00:00Z"),
    ],
)
@pytest.mark.parametrize("form", ["%b %e %H:%M:%S", "any"])
def test_a_missing_year_is_the_latest_that_is_not_in_the_future(
    text: str, observed: str, expected: str, form: str
) -> None:
    assert read(text, form, observed=datetime.fromisoformat(observed)) == (expected, "inferred_year")


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "any"])
def test_the_callers_zone_holds_where_a_time_names_none(form: str) -> None:
    assert read("2024-07-01 12:00:00", form, timezone="Europe/Berlin") == ("2024-07-01T10:00:00Z", "event")


def test_an_overlap_of_clocks_is_the_earlier_and_a_skipped_hour_moves_on() -> None:
    assert read("2024-10-27 02:30:00", timezone="Europe/Berlin")[0] == "2024-10-27T00:30:00Z"
    assert read("2024-03-31 02:30:00", timezone="Europe/Berlin")[0] == "2024-03-31T01:30:00Z"


@settings(max_examples=60, deadline=None)
@given(
    micros=st.lists(st.integers(0, 1_130_000_000_000_000), min_size=1, max_size=20),
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_what_python_writes_as_iso_is_read_back(micros: list[int], minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    first = datetime(1990, 1, 2, tzinfo=zone)
    zoned = [first + timedelta(microseconds=one) for one in micros]
    read_back, sources = parse_times(pl.Series([one.isoformat() for one in zoned]), ("iso",), observed=OBSERVED)
    assert read_back.to_list() == [one.astimezone(UTC) for one in zoned]
    assert set(sources) == {"event"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("September 17th, 2012 at 10:09am PST-08", "2012-09-17T18:09:00+00:00"),
        ("Tue, 11 Jul 2017 04:08:03 +0200 (CEST)", "2017-07-11T02:08:03+00:00"),
        ("2017-07-31 13:36:42.585 CEST", "2017-07-31T11:36:42.585000+00:00"),
        ("3. März 2024 05:06:07", "2024-03-03T05:06:07+00:00"),
        ("7 août 2020 1:02", "2020-08-07T01:02:00+00:00"),
        ("3 de enero de 2024 10:00", "2024-01-03T10:00:00+00:00"),
        ("2014年04月08日 19:17:22", "2014-04-08T19:17:22+00:00"),
        ("20140722105203", "2014-07-22T10:52:03+00:00"),
        ("171113 14:14:20", "2017-11-13T14:14:20+00:00"),
        ("04/02/2014 4:8 PM", "2014-04-02T16:08:00+00:00"),
        ("31/03/2014", "2014-03-31T00:00:00+00:00"),
    ],
)
def test_dates_are_read_in_the_ways_that_people_write_them(text: str, wanted: str) -> None:
    moments, _ = parse_times(pl.Series([text]), ("iso", "epoch", "any"), observed=datetime(2026, 1, 1, tzinfo=UTC))
    assert moments[0] == datetime.fromisoformat(wanted)


def test_a_date_that_may_be_two_days_is_read_as_its_column_shows_or_not_at_all() -> None:
    observed = datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_times(pl.Series(["04/02/2014 04:08:09"]), ("any",), observed=observed)[0][0] is None
    shown = parse_times(pl.Series(["04/02/2014 04:08:09", "25/02/2014 04:08:09"]), ("any",), observed=observed)[0]
    assert shown[0] == datetime(2014, 2, 4, 4, 8, 9, tzinfo=UTC)
