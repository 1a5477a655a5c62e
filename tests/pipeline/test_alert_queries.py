from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.errors import AlertError, QueryError, UsageError
from logshed.pipeline import alert_queries
from logshed.pipeline.alert_queries import AlertQuery, ask, condition, evaluate
from logshed.schema import FINDINGS, polars_schema
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
NOW = START + timedelta(minutes=6)


def access(moment: datetime, status: int, client: str) -> str:
    return f'{client} - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "GET /a HTTP/1.1" {status} 12 "-" "curl/8"\n'


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with a request a second over ten minutes; the first five minutes fail."""
    folder = tmp_path_factory.mktemp("queries")
    moments = [START + timedelta(seconds=n) for n in range(600)]
    text = "".join(access(one, 500 if one < START + timedelta(minutes=5) else 200, "192.0.2.7") for one in moments)
    (folder / "access.log").write_text(text)
    made = Lake.open(folder / "lake", create=True, settings=Settings(lake=folder / "lake", collection="shop"))
    made.ingest([folder / "access.log"], policy="none")
    return made


def query(when: str = "count > 50 in 5m", sql: str = "", name: str = "errors") -> AlertQuery:
    return AlertQuery(name, sql or "SELECT * FROM logs WHERE http_response_status_code >= 500;", condition(when))


@pytest.fixture
def saved(lake: Lake) -> Lake:
    for path in (lake.root / "alerts" / "queries").glob("*"):
        path.unlink()
    return lake


def test_a_condition_that_holds_in_the_newest_whole_window_is_a_finding(saved: Lake) -> None:
    alert_queries.add(saved.root, AlertQuery("errors", query().sql, query().when, "high", ("ops", "night"), "Ada"))
    found = evaluate(saved, NOW)
    assert dict(found.schema) == polars_schema(FINDINGS)
    (row,) = found.to_dicts()
    key = f"errors|{START.isoformat()}"
    assert row["finding_id"] == hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
    assert (row["rule_kind"], row["rule_name"], row["level"], row["confidence"]) == ("query", "errors", "high", "high")
    assert (row["event_count"], row["collection"], row["rule_author"]) == (300, "shop", "Ada")
    assert (row["actor_type"], row["actor"]) == ("client_address", "192.0.2.7")
    assert (row["timestamp"], row["observed_timestamp"]) == (START, NOW)
    assert row["end_timestamp"] == START + timedelta(seconds=299)
    assert len(json.loads(row["evidence"])) == 100
    assert row["explanation"] == (
        "count was 300 from 2026-11-02 12:00:00 to 12:05:00 UTC; the condition is count > 50 in 5m."
    )
    assert row["attributes"]["alert.to"] == "ops night"
    assert all(row[column.name] is not None for column in FINDINGS if column.required)
    assert evaluate(saved, NOW + timedelta(minutes=2))["finding_id"].to_list() == [row["finding_id"]]
    assert evaluate(saved, NOW + timedelta(minutes=5)).height == 0


@pytest.mark.parametrize(
    ("sql", "when", "explanation"),
    [
        ("", "count > 300 in 5m", None),
        ("", "count >= 300 in 5m", "count was 300 "),
        ("SELECT timestamp FROM logs WHERE url_path = '/none' -- nothing", "count = 0 in 1m", "count was 0 "),
        (
            ("SELECT client_address, count(*) AS requests FROM logs WHERE timestamp >= $since AND timestamp < $until "
            "GROUP BY 1"), "requests > 100.5 in 5m", "requests was 300 ",
        ),
        ("SELECT timestamp, http_response_body_size AS size FROM logs", "size < 13 in 5m", "size was 12 "),
        ("SELECT timestamp, http_response_body_size AS size FROM logs", "size < 12 in 5m", None),
    ],
)  # fmt: skip
def test_what_is_compared_is_the_count_or_a_column(lake: Lake, sql: str, when: str, explanation: str | None) -> None:
    found = ask(lake, query(when, sql), NOW)
    assert (found is None) is (explanation is None)
    if found and explanation:
        assert found["explanation"].startswith(explanation)


def test_a_query_that_fails_is_told_and_stops_no_other(saved: Lake, caplog: pytest.LogCaptureFixture) -> None:
    for name, sql in (("broken", "SELECT nonsense FROM logs"), ("good", query().sql), ("writes", "DROP TABLE logs")):
        alert_queries.add(saved.root, query(sql=sql, name=name))
    (saved.root / "alerts" / "queries" / "odd.toml").write_text("sql = 3")
    assert evaluate(saved, NOW)["rule_name"].to_list() == ["good"]
    told = [record.getMessage() for record in caplog.records]
    assert len([text for text in told if text.startswith("alert query ")]) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')", "SELECT 1) AS a; DROP TABLE logs; SELECT * FROM (SELECT 1",
        "COPY logs TO '/tmp/x'", "SELECT * FROM read_csv('/etc/hosts')",
    ],
)  # fmt: skip
def test_a_query_reads_the_lake_and_nothing_else(lake: Lake, sql: str) -> None:
    with pytest.raises(QueryError):
        ask(lake, query(sql=sql), NOW)


@pytest.mark.parametrize("sql", ["SELECT 1 AS one", "SELECT client_address FROM logs"])
def test_an_answer_without_a_time_is_refused(lake: Lake, sql: str) -> None:
    with pytest.raises(AlertError, match="its answer has no column timestamp"):
        ask(lake, query(sql=sql), NOW)
    with pytest.raises(AlertError, match="its answer has no column requests"):
        ask(lake, query("requests > 1 in 5m"), NOW)


@pytest.mark.parametrize(
    "when", ["", "count > 5", "count > five in 5m", "count > 5 in 0m", "a b > 5 in 5m", '"x" > 5 in 5m']
)
def test_what_is_no_condition_is_told(when: str) -> None:
    with pytest.raises(UsageError, match="cannot read the condition"):
        condition(when)


def test_a_query_is_saved_once_and_read_as_it_was(tmp_path: Path) -> None:
    sql = "SELECT *\nFROM logs\n-- it's \"odd\" \\ \x7f ''' é"
    path = alert_queries.add(tmp_path, query(sql=sql))
    assert path == tmp_path / "alerts" / "queries" / "errors.toml"
    (read,) = alert_queries.load(tmp_path)
    assert (read.sql, read.when, read.level, read.to) == (sql, query().when, "medium", ())
    alert_queries.add(tmp_path, query(sql="SELECT *\nFROM logs", name="plain"))
    assert "'''\nSELECT *\nFROM logs'''" in (path.parent / "plain.toml").read_text()
    with pytest.raises(UsageError, match="cannot save the alert errors: there is one"):
        alert_queries.add(tmp_path, query())
    for name in ("../errors", "", "a b", ".x"):
        with pytest.raises(UsageError, match="a name has at most 64 letters"):
            alert_queries.add(tmp_path, query(name=name))
    alert_queries.remove(tmp_path, "errors")
    with pytest.raises(UsageError, match="cannot remove the alert errors: no query has that name"):
        alert_queries.remove(tmp_path, "errors")


def at_once(call: Callable[[int], object]) -> list[str]:
    """What several get that do the same at one moment: a name, or what they are told."""
    start = Barrier(4)

    def done(number: int) -> str:
        start.wait(30)
        try:
            return str(call(number))
        except UsageError as error:
            return str(error).partition(":")[0]

    with ThreadPoolExecutor(4) as pool:
        return sorted(pool.map(done, range(4)))


def test_of_several_who_save_a_query_of_one_name_at_once_or_remove_it_one_does(tmp_path: Path) -> None:
    for number in range(20):  # before it was mended, one was written over, or some ended with an error of the disk
        name = f"errors{number}"

        def saved(one: int, name: str = name) -> Path:
            return alert_queries.add(tmp_path, query(sql=f"SELECT {one} AS a", name=name))

        def removed(_: int, name: str = name) -> Path:
            return alert_queries.remove(tmp_path, name)

        path = str(tmp_path / "alerts" / "queries" / f"{name}.toml")
        assert at_once(saved) == [path, *[f"cannot save the alert {name}"] * 3]
        assert at_once(removed) == [path, *[f"cannot remove the alert {name}"] * 3]
