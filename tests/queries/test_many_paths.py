"""Questions and gold tables over a hundred thousand different paths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from logshed.api import Lake
from logshed.settings import Settings

PATHS = 100_000
LETTERS = str.maketrans("0123456789", "abcdefghij")
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Every path is asked for once, the first ten twice; no two look alike enough to have one template."""
    root = tmp_path_factory.mktemp("paths")
    with (root / "access.log").open("w") as file:
        for number in [*range(PATHS), *range(10)]:
            when = f"{BEGIN + timedelta(milliseconds=number * 800):%d/%b/%Y:%H:%M:%S} +0000"
            name = f"{number:05d}".translate(LETTERS)
            file.write(f'192.0.2.{number % 250} - - [{when}] "GET /{name} HTTP/1.1" 200 {number} "-" "x"\n')
    made = Lake.open(root / "lake", create=True, settings=Settings.load(root, environ={}))
    made.ingest([root / "access.log"])
    return made


def test_the_paths_that_were_asked_for_twice_come_first(lake: Lake) -> None:
    rows = lake.run("top_paths", since="all", limit=11).rows()
    names = [row[0] for row in rows]
    assert names[:10] == [f"/aaaa{letter}" for letter in "abcdefghij"]
    assert [row[1] for row in rows] == [2] * 10 + [1]


def test_every_path_stands_in_the_gold_table_and_the_sums_are_right(lake: Lake) -> None:
    assert not [one.error for one in lake.aggregate(["traffic_hourly", "top_n_daily"]) if one.error]
    told = lake.query("SELECT count(DISTINCT url_template), sum(requests), sum(bytes) FROM traffic_hourly").rows()
    assert told == [(PATHS, PATHS + 10, sum(range(PATHS)) + sum(range(10)))]


def test_a_chart_of_them_is_as_short_as_the_limit(lake: Lake) -> None:
    assert len(lake.run("top_templates", since="all", limit=7).rows()) == 7
