from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

DAY = ("--since", "2015-05-19", "--until", "2015-05-21")


def test_sql_is_answered_as_a_table(logshed: Run, lake: Path) -> None:
    sql = "SELECT log_format, count(*) AS n FROM logs WHERE log_format LIKE 'apache%' GROUP BY 1"
    assert logshed("query", sql, "--lake", lake).stdout.splitlines()[2].split() == ["apache_combined", "2820"]


def test_a_file_gets_all_rows_in_the_format_that_its_name_says(logshed: Run, lake: Path, tmp_path: Path) -> None:
    done = logshed("query", "SELECT * FROM logs", "--lake", lake, "--output", "all.parquet")
    frame = pl.read_parquet(tmp_path / "all.parquet")
    assert done.stdout == ""
    assert f"{frame.height:,} rows written to all.parquet" in done.stderr
    assert frame["source"].n_unique() == 4


def test_sql_may_come_from_standard_input_with_parameters(logshed: Run, lake: Path) -> None:
    sql = "SELECT count(*) AS n FROM logs WHERE client_address = $ip"
    done = logshed("query", "-", "-p", "ip=46.118.127.106", "--json", "--lake", lake, stdin=sql)
    assert json.loads(done.stdout)[0]["n"] > 0


def test_a_mistake_in_sql_is_shown_with_its_place(logshed: Run, lake: Path) -> None:
    done = logshed("query", "SELECT url_pth FROM logs", "--lake", lake)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot ")
    assert "url_path" in done.stderr
    assert "^" in done.stderr


def test_a_lake_that_is_not_there_is_said_to_be_not_there(logshed: Run) -> None:
    done = logshed("query", "SELECT count(*) FROM logs", "--lake", "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_questions_are_listed_and_explained(logshed: Run) -> None:
    listed = json.loads(logshed("run", "--json").stdout)
    assert len(listed) >= 12
    shown = logshed("run", "http_traffic", "--show").stdout
    assert "avg_response_size: " in shown
    assert "SELECT" in shown.upper()


def test_a_question_is_answered(logshed: Run, lake: Path) -> None:
    rows = json.loads(logshed("run", "http_traffic", *DAY, "--json", "--lake", lake).stdout)
    assert list(rows[0]) == ["http_status", "http_method", "request_count", "avg_response_size"]
    assert sum(row["request_count"] for row in rows if row["http_status"] == 404) == 61


def test_traffic_is_drawn_as_a_line(logshed: Run, lake: Path) -> None:
    lines = logshed("run", "traffic_by_hour", *DAY, "--chart", "--lake", lake).stdout.splitlines()
    assert sum("█" in line for line in lines) == 8
    assert lines[-1].startswith("min ")


def test_a_chart_can_be_drawn_as_another_kind(logshed: Run, lake: Path) -> None:
    lines = logshed("run", "traffic_by_hour", *DAY, "--chart-kind", "bar", "--lake", lake).stdout.splitlines()
    assert sum("█" in line for line in lines) >= 24
    refused = logshed("run", "traffic_by_hour", *DAY, "--chart-kind", "sankey", "--lake", lake)
    assert refused.returncode == 2
    assert "cannot draw a sankey" in refused.stderr


def test_no_rows_in_the_default_window_are_explained_by_the_span_of_the_lake(logshed: Run, lake: Path) -> None:
    done = logshed("run", "levels", "--lake", lake)
    assert "No rows in the default window (7d). The lake holds 2015-05-19 22:0" in done.stderr
    assert "--since 2015-05-19" in done.stderr


def test_an_unknown_question_names_the_nearest(logshed: Run, lake: Path) -> None:
    done = logshed("run", "top_path", "--lake", lake)
    assert done.returncode == 1
    assert "did you mean top_paths?" in done.stderr


@pytest.mark.parametrize("question", ["http_traffic", "top_error_sources"])
def test_clickhouse_gives_the_same_answer(logshed: Run, lake: Path, question: str) -> None:
    answers = [
        logshed("run", question, *DAY, "--json", "--lake", lake, "--sql", engine) for engine in ("duckdb", "clickhouse")
    ]
    assert answers[1].returncode == 0, answers[1].stderr
    assert json.loads(answers[0].stdout) == json.loads(answers[1].stdout)


def test_sensitive_text_of_the_samples_is_nowhere_in_the_lake(lake: Path) -> None:
    for table in ("lines", "logs"):
        frame = pl.concat(
            [pl.read_parquet(path) for path in lake.rglob("*.parquet") if table in str(path.relative_to(lake))],
            how="diagonal_relaxed",
        )
        text = frame.select(pl.col(pl.String)).write_csv() + str(frame.to_dicts())
        for secret in (
            "@example.com",
            "@example.net",
            "@example.org",
            "4111 1111",
            "not-a-real-one",
            "tok_",
            "eyJhbGci",
        ):
            assert secret not in text
