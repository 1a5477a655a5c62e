from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.sql.conftest import START, record, write_lake

import logshed
from logshed.errors import QueryError, UsageError
from logshed.pipeline import search as searching
from logshed.pipeline.search import Search, arriving, found, understood
from logshed.search import statements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.api import Lake
    from logshed.sql.result import Result

MANY = [record(number, START + timedelta(minutes=7 * number), body=f"n{number % 10}") for number in range(500)]
NOW = START + timedelta(days=3)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    root = tmp_path_factory.mktemp("search") / "lake"
    write_lake(root, MANY, files=4)
    return logshed.open(root)


def offsets(result: Result) -> list[int]:
    return [offset for (offset,) in result.rows()]


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("limit", [None, 33])
@pytest.mark.parametrize(("text", "rows"), [("", 100), ("n3", 20), ("nowhere", 200)])
def test_slices_of_time_give_what_one_statement_gives(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, text: str, rows: int, limit: int | None, *, oldest_first: bool
) -> None:
    monkeypatch.setattr(searching, "SLICE_ROWS", rows)
    for since, until in (("all", None), ("30h", "2024-01-03T01:00")):
        scope = understood(text, since=since, until=until, now=NOW)
        search = Search(scope, ("offset",), limit, oldest_first)
        assert offsets(found(search, lake.query)) == offsets(lake.query(search.sql))


def test_with_a_limit_older_records_are_not_read(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SLICE_ROWS", 50)
    asked: list[str] = []

    def query(sql: str) -> Result:
        asked.append(sql)
        return lake.query(sql)

    scope = understood("", since="all", now=NOW)
    assert len(found(Search(scope, ("offset",), 10), query).rows()) == 10
    assert len(asked) == 2  # the hours, and the newest slice


def test_a_lake_is_searched_from_python(lake: Lake) -> None:
    result = lake.search("n3", since="all", fields=("time", "message"), limit=2, now=NOW)
    assert result.columns == ["timestamp", "body"]
    assert result.rows()[0] == (START + timedelta(minutes=7 * 493), "n3")
    assert lake.search("n3", now=START + timedelta(days=30)).rows() == []
    assert lake.search(now=NOW, since="1d", timezone="Europe/Berlin").pl().height > 50


def test_mistakes_are_told_before_anything_runs(lake: Lake) -> None:
    with pytest.raises(QueryError, match="cannot search: this quote is not closed"):
        lake.search('"n3')
    with pytest.raises(UsageError, match="cannot take the field 'servce'"):
        lake.search("n3", fields=["servce"])
    with pytest.raises(UsageError, match="cannot read the time"):
        lake.search("n3", since="soon")


def test_what_arrives_is_found_once_however_old_it_is(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    present = datetime.now(UTC)

    def written(number: int, body: str, batch: str, when: datetime = START) -> dict[str, Any]:
        return {**record(number, when, body=body), "observed_timestamp": present, "batch": batch}

    write_lake(root, [written(0, "timeout before", "b0")], files=1)
    lake = logshed.open(root)
    commits: Iterator[list[dict[str, Any]]] = iter(
        [[], [written(1, "timeout one", "b1"), written(2, "fine", "b1")], [written(3, "timeout two", "b2", present)]]
    )

    def sleep(_: float) -> None:
        rows = next(commits)
        if rows:
            write_lake(root, rows, files=1)

    results = arriving(Search(understood("timeout"), ("body",)), lake.query, sleep=sleep)
    assert next(results).rows() == [("timeout one",)]
    assert next(results).rows() == [("timeout two",)]
    with pytest.raises((StopIteration, RuntimeError)):
        next(results)


def test_a_page_of_context_has_blocks_with_the_newest_first(lake: Lake) -> None:
    scope = understood("message:n3", since="all", until="2024-01-01T03:00", now=NOW)
    rows = lake.query(statements.around(scope, ["offset"], before_and_after=2, limit=None)).rows()
    assert rows[:5] == [(2100, False, 1), (2200, False, 1), (2300, True, 1), (2400, False, 1), (2500, False, 1)]
    assert [row[0] for row in rows[10:]] == [100, 200, 300, 400, 500]
