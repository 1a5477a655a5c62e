"""What the tools answer on a small lake, to whoever sees all of it and to whoever sees a part."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.logql.conftest import SMALL, START
from tests.sql.conftest import record, write_lake

import logshed
from logshed.assistants import asking
from logshed.assistants.tools import BY_NAME, TOOLS
from logshed.errors import LogshedError, UsageError

if TYPE_CHECKING:
    from logshed.api import Lake

ALL = {"since": "all"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    root = tmp_path_factory.mktemp("assistants") / "lake"
    long = record(99, START + timedelta(days=1), collection="long", body="x" * 5_000, severity_number=9)
    write_lake(root, [*SMALL, long], files=1)
    return logshed.open(root)


def call(lake: Lake, tool: str, **given: Any) -> dict[str, Any]:
    return BY_NAME[tool].call(lake, given)


def test_collections_are_told_with_their_records_and_times(lake: Lake) -> None:
    rows = call(lake, "collections")["rows"]
    assert [(row["collection"], row["records"]) for row in rows] == [("app", 6), ("long", 1), ("web", 4)]
    assert rows[0]["first"] == "2026-03-01T10:00:00Z"


def test_whoever_sees_a_part_is_told_of_that_part(lake: Lake) -> None:
    part = lake.seen_by(["app"])
    assert [row["collection"] for row in call(part, "collections")["rows"]] == ["app"]
    assert call(part, "search", text="GET", **ALL)["rows"] == []
    assert call(part, "query", sql="SELECT count(*) AS n FROM logs")["rows"] == [{"n": 6}]
    assert "audit" not in call(part, "tables")["tables"]
    assert call(part, "incidents", **ALL)["rows"] == []
    with pytest.raises(LogshedError):
        call(part, "query", sql="SELECT * FROM read_text('/etc/passwd')")


def test_a_search_tells_what_has_a_value_and_whether_there_is_more(lake: Lake) -> None:
    found = call(lake, "search", text="timeout", limit=1, oldest_first=True, **ALL)
    assert found["more"] is True
    (row,) = found["rows"]
    assert row["body"] == "timeout after 5s"
    assert "k8s_pod_name" not in row
    assert call(lake, "search", text="timeout", fields=["body"], **ALL) == {
        "rows": [{"body": 'timeout of "db"'}, {"body": "timeout after 5s"}],
        "more": False,
    }


def test_counts_are_by_fields_and_by_steps_of_time(lake: Lake) -> None:
    counted = call(lake, "count", text="collection:app", by=["level"], **ALL)["rows"]
    assert {row["level"]: row["count"] for row in counted} == {"error": 2, "fatal": 1, "info": 2, "warn": 1}
    told = call(lake, "over_time", text="collection:web", every="1m", **ALL)
    assert told["seconds_of_a_step"] == 60
    assert [(row["count"], row["errors"], row["warnings"]) for row in told["rows"]] == [(2, 0, 1), (2, 1, 0)]
    assert call(lake, "over_time", text="nowhere", **ALL)["rows"] == []


def test_a_long_value_is_cut_and_a_long_answer_ends(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = call(lake, "search", text="collection:long", fields=["body"], **ALL)["rows"]
    assert row["body"] == "x" * asking.LONGEST + "… (5,000 characters)"
    monkeypatch.setattr(asking, "MOST_CHARACTERS", 400)
    found = call(lake, "query", sql="SELECT repeat('y', 150) AS t FROM range(9)")
    assert len(found["rows"]) == 2
    assert found["more"] is True


def test_sql_gives_values_that_json_has(lake: Lake) -> None:
    sql = "SELECT 1.5::DECIMAL(9,2) AS d, 'nan'::DOUBLE AS n, DATE '2026-01-02' AS day, [1] AS l"
    assert call(lake, "query", sql=sql)["rows"] == [{"d": 1.5, "n": None, "day": "2026-01-02", "l": [1]}]


def test_named_questions_are_listed_and_answered(lake: Lake) -> None:
    assert call(lake, "questions")["questions"]["status_codes"]["title"]
    rows = call(lake, "ask", name="status_codes", since="all")["rows"]
    assert {row["status"] for row in rows} == {200, 404, 500}
    with pytest.raises(UsageError, match="cannot set engine"):
        call(lake, "ask", name="status_codes", parameters={"engine": "clickhouse"})


def test_tables_are_told_with_what_columns_mean(lake: Lake) -> None:
    assert call(lake, "tables")["tables"]["logs"]["user_id"].endswith(": authenticated user")


def test_patterns_are_templates_with_counts(lake: Lake) -> None:
    assert sum(row["count"] for row in call(lake, "patterns", **ALL)["rows"]) == 7


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("search", {"limit": 9_999}, "cannot use limit"),
        ("search", {"text": "level:"}, "cannot search"),
        ("search", {"tetx": "a"}, "cannot use tetx"),
        ("count", {}, "cannot use by"),
        ("query", {"sql": "DROP TABLE logs"}, "cannot"),
        ("ask", {"name": "nothing"}, "there is no"),
        ("incident", {"id": "abcdef"}, "there is none that begins so"),
        ("incident", {"id": "'; --"}, "cannot use id"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(lake: Lake, name: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(LogshedError, match=told):
        BY_NAME[name].call(lake, given)


def test_every_tool_says_what_it_is_for_and_each_of_its_parameters() -> None:
    for tool in TOOLS:
        assert tool.told.endswith("."), tool.name
        assert tool.schema["additionalProperties"] is False
