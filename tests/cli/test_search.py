from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.cli import search_bars, search_lines
from logshed.search import statements
from logshed.sql.result import of_frame

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

DAY = ("--since", "2015-05-19", "--until", "2015-05-21")


def test_records_are_shown_newest_first_as_lines(logshed: Run, lake: Path) -> None:
    lines = logshed("search", "status:404", *DAY, "-n", "5", "--lake", lake).stdout.splitlines()
    assert len(lines) == 5
    assert lines == sorted(lines, reverse=True)
    assert all(" 404 " in line and " GET " in line for line in lines)
    assert "\x1b" not in "".join(lines)


def test_oldest_first_turns_it_round(logshed: Run, lake: Path) -> None:
    lines = logshed("search", *DAY, "--oldest-first", "-n", "9", "--lake", lake).stdout.splitlines()
    assert [line[:23] for line in lines] == sorted(line[:23] for line in lines)


def test_programs_get_all_records_one_object_a_line(logshed: Run, lake: Path) -> None:
    found = logshed("search", "status:200", "--since", "all", "--json", "--lake", lake).stdout.splitlines()
    sql = "SELECT count(*) AS n FROM logs WHERE http_response_status_code = 200"
    assert len(found) == json.loads(logshed("query", sql, "--json", "--lake", lake).stdout)[0]["n"]
    first = json.loads(found[0])
    assert first["http_response_status_code"] == 200
    assert None not in first.values()


def test_fields_may_be_chosen_and_go_into_a_file(logshed: Run, lake: Path, tmp_path: Path) -> None:
    words = ("search", "level>=warn", "--since", "all", "--fields", "time,level,message", "--lake", lake)
    for name, read in (("a.csv", pl.read_csv), ("a.ndjson", pl.read_ndjson), ("a.parquet", pl.read_parquet)):
        assert "rows written" in logshed(*words, "--output", name).stderr
        frame = read(tmp_path / name)
        assert frame.columns == ["timestamp", "level", "body"]
        assert set(frame["level"].unique()) <= {"warn", "error", "fatal"}
        assert frame.height > 10


def test_records_around_one_are_marked_apart(logshed: Run, lake: Path) -> None:
    lines = logshed("search", "connection timeout", *DAY, "-C", "1", "-n", "2", "--lake", lake).stdout.splitlines()
    assert sum(line.startswith("> ") for line in lines) == 2
    assert any(line.startswith("  ") for line in lines)


def test_counts_are_by_field_most_first(logshed: Run, lake: Path) -> None:
    words = ("search", "status>=400", *DAY, "--group-by", "status,method", "--lake", lake)
    rows = json.loads("[" + ",".join(logshed(*words, "--json").stdout.splitlines()) + "]")
    assert list(rows[0]) == ["http_response_status_code", "http_request_method", "count"]
    assert [row["count"] for row in rows] == sorted((row["count"] for row in rows), reverse=True)
    assert "http_request_method" in logshed(*words).stdout


def test_counts_over_time_are_bars_or_rows(logshed: Run, lake: Path) -> None:
    words = ("search", "status:*", *DAY, "--histogram", "--every", "6h", "--lake", lake)
    bars = logshed(*words).stdout.splitlines()
    assert len(bars) == 5
    assert bars[0].startswith("2015-05-19 18:00 ")
    assert "#" in "".join(bars)
    rows = [json.loads(line) for line in logshed(*words, "--json").stdout.splitlines()]
    assert set(rows[0]) == {"time", "count", "errors", "warnings"}
    berlin = logshed("search", *DAY, "--histogram", "--tz", "Europe/Berlin", "--lake", lake).stdout
    assert berlin.startswith("2015-05-20 00:00 ")  # 2015-05-19 22:00 in UTC


def test_rates_and_percentiles_may_be_of_each_value(logshed: Run, lake: Path) -> None:
    rate = logshed("search", *DAY, "--rate", "--every", "1d", "--by", "status", "--json", "--lake", lake).stdout
    assert {"time", "http_response_status_code", "count", "per_second"} >= set(json.loads(rate.splitlines()[0]))
    assert "/s" in logshed("search", *DAY, "--rate", "--lake", lake).stdout
    done = logshed("search", "--since", "all", "--percentile", "95", "size", "--by", "status", "--json", "--lake", lake)
    assert "p95" in done.stdout


def test_explain_prints_a_statement_that_query_runs(logshed: Run, lake: Path) -> None:
    sql = logshed("search", "status:404 -path:*.txt", "--since", "all", "--explain", "--json", "--lake", lake).stdout
    told = logshed("query", sql, "--format", "ndjson", "--lake", lake).stdout
    found = logshed("search", "status:404 -path:*.txt", "--since", "all", "--json", "--lake", lake).stdout
    assert len(told.splitlines()) == len(found.splitlines()) > 10


def test_nothing_found_is_told_with_the_time_that_the_lake_holds(logshed: Run, lake: Path) -> None:
    done = logshed("search", "status:404", "--lake", lake)
    assert done.stdout == ""
    assert "Nothing found. The lake holds 20" in done.stderr


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("status>=5OO",), "cannot search: '5OO' is no number"),
        (("--follow", "--histogram"), "cannot use --histogram with --follow"),
        (("--by", "status"), "cannot use --by with nothing else"),
        (("--histogram", "--every", "7h"), "cannot count by '7h'"),
        (("--group-by", "servce"), "there is no field servce"),
        (("--follow", "--format", "parquet"), "cannot follow into this form"),
        (("--tz", "Nowhere/Land"), "cannot use the time zone"),
    ],
)
def test_mistakes_are_told_in_one_sentence(logshed: Run, lake: Path, words: tuple[str, ...], cause: str) -> None:
    done = logshed("search", *words, "--since", "2015-05-19", "--lake", lake)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("error: cannot ")
    assert cause in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_ingested_is_followed(environment: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    log.write_text('{"time":"2026-01-01T00:00:00Z","level":"ERROR","message":"first"}\n')
    env = {**environment, "LOGSHED_LAKE": str(tmp_path / "lake"), "PYTHONUNBUFFERED": "1"}
    program = [sys.executable, "-m", "logshed"]
    subprocess.run([*program, "ingest", str(log)], check=True, env=env, capture_output=True)
    words = [*program, "search", "level:error", "--since", "all", "--follow", "--fields", "message", "--json"]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline()) == {"body": "first"}
        with log.open("a") as file:
            file.write('{"time":"2025-01-01T00:00:00Z","level":"ERROR","message":"second"}\n')
        subprocess.run([*program, "ingest", str(log)], check=True, env=env, capture_output=True)
        assert json.loads(process.stdout.readline()) == {"body": "second"}
        process.terminate()


def test_a_line_says_what_a_record_says_and_moves_no_cursor() -> None:
    empty = [field.label for field in statements.fields(search_lines.FIELDS)]
    row: dict[str, list[object]] = {name: [None] for name in empty}
    row |= {"timestamp": [datetime(2026, 1, 1, tzinfo=UTC)], "level": ["error"], "severity_number": [17]}
    row |= {"service_name": ["shop"], "source": ["file:/a.log"], "body": ["bad \x1b[2J\nthing"]}
    (line,) = search_lines.lines(of_frame(pl.DataFrame(row)), UTC, [0])
    assert line == "2026-01-01 00:00:00.000Z ERROR shop: bad \\x1b[2J ⏎ thing"


def test_steps_without_records_have_a_line_too() -> None:
    rows = [(datetime(2026, 1, 1, 0, tzinfo=UTC), 10, 5, 1), (datetime(2026, 1, 1, 2, tzinfo=UTC), 5, 0, 0)]
    first, empty, last = search_bars.lines(rows, 3600, UTC, 50, rate=False)
    assert first == "2026-01-01 00:00 #####+.... 10 (5 errors, 1 warnings)"
    assert empty.split() == ["2026-01-01", "01:00", "0"]
    assert last.split() == ["2026-01-01", "02:00", ".....", "5"]
