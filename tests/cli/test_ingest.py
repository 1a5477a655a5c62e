from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

LINE = '192.0.2.1 - - [20/May/2015:12:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "x"\n'
PROGRESS = re.compile(r"[\d.]+ [kMG]?B of [\d.]+ [kMG]?B, ")
"""A line that appears where an ingest takes more than some seconds."""


def counted(done: subprocess.CompletedProcess[str]) -> tuple[int, int, int]:
    totals = json.loads(done.stdout)["totals"]
    return totals["read"], totals["stored"], totals["rejected"]


def test_the_summary_tells_of_each_file_and_of_all(ingested: subprocess.CompletedProcess[str]) -> None:
    assert ingested.returncode == 0, ingested.stderr
    told = ingested.stdout
    assert "access.log: apache_combined, 2,821 lines: 2,820 stored, 1 rejected, 0 dropped" in told
    assert "app.jsonl: json, 451 lines: 451 stored, 0 rejected, 0 dropped" in told
    assert "docker-json.log: docker_json/java, 179 lines: 179 stored, 0 rejected, 0 dropped" in told
    assert "from 2015-05-19 22:05:00Z to 2015-05-20 21:05:59Z" in told
    assert "Took 3,706 lines: 3,705 stored, 1 rejected, 0 dropped from 4 files" in told
    assert "Redacted: " in told
    assert [line for line in ingested.stderr.splitlines() if not PROGRESS.match(line)] == []


def test_a_second_run_takes_only_what_was_appended(logshed: Run, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(LINE * 3)
    assert counted(logshed("ingest", log, "--json")) == (3, 3, 0)
    assert "a.log: nothing new" in logshed("ingest", log).stdout
    with log.open("a") as file:
        file.write(LINE * 2 + LINE[:20])
    assert counted(logshed("ingest", log, "--json")) == (2, 2, 0)
    assert counted(logshed("ingest", log, "--json", "--final")) == (1, 0, 1)


def test_standard_input_is_taken_with_a_service_and_anew_each_time(logshed: Run) -> None:
    assert counted(logshed("ingest", "-", "--service", "web", "--json", stdin=LINE * 2)) == (2, 2, 0)
    assert counted(logshed("ingest", "-", "--service", "web", "--json", stdin=LINE * 2)) == (2, 2, 0)
    asked = logshed("query", "SELECT service_name, count(*) AS n FROM logs GROUP BY 1", "--json")
    assert json.loads(asked.stdout) == [{"service_name": "web", "n": 4}]


def test_more_rejects_than_allowed_exit_with_three(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE * 9 + "nothing that any format knows\n")
    assert logshed("ingest", "a.log", "--format", "apache_combined", "--max-rejects", "50").returncode == 0
    (tmp_path / "b.log").write_text(LINE * 8 + "nothing that any format knows\n" * 2)
    done = logshed("ingest", "b.log", "--format", "apache_combined", "--max-rejects", "10")
    assert done.returncode == 3
    assert "more than 10 %" in done.stderr


def test_a_file_that_is_not_there_is_named_and_the_others_go_on(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE)
    done = logshed("ingest", "missing.log", "a.log")
    assert done.returncode == 1
    assert "missing.log: failed" in done.stdout
    assert "a.log: apache_combined, 1 lines: 1 stored" in done.stdout


def test_a_dry_run_counts_and_leaves_nothing(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE)
    done = logshed("ingest", "a.log", "--dry-run")
    assert "Would take 1 lines: 1 stored" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_a_folder_that_is_no_lake_is_not_written_into(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    done = logshed("ingest", "a.log", "--lake", "mine")
    assert done.returncode == 1
    assert "mine" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_drop_rule_counts_what_it_drops(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text('[[drop]]\nname = "health"\nwhere = "url_path = \'/health\'"\n')
    (tmp_path / "a.log").write_text(LINE * 2 + LINE.replace("/a", "/health"))
    done = logshed("ingest", "a.log")
    assert "3 lines: 2 stored, 0 rejected, 1 dropped" in done.stdout
    assert "Dropped: 1 health." in done.stdout


def test_rejected_lines_are_taken_once_a_format_is_there(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("<<7>> kettle boils\n<<8>> kettle boils over\n")
    logshed("ingest", "a.log")
    assert "kettle boils over" in logshed("rejects").stdout
    (tmp_path / "ours" / "formats").mkdir(parents=True)
    (tmp_path / "ours" / "formats" / "kettle.toml").write_text(KETTLE)
    done = logshed("rejects", "--replay", env={"LOGSHED_PLUGINS": "ours"})
    assert "Tried 2 lines again: 2 stored now, 0 still rejected." in done.stdout, done.stderr
    assert "No line was rejected." in logshed("rejects").stdout
    asked = logshed("query", 'SELECT body FROM logs ORDER BY "offset"', "--format", "csv")
    assert asked.stdout == "body\nkettle boils\nkettle boils over\n"


KETTLE = r"""
title = "Kettle log"
kind = "regex"
log_type = "application"
specificity = 50
patterns = ['^<<(?P<number>[0-9]+)>> (?P<body>.*)$']

[[sample]]
line = "<<1>> a"
origin = "own"
expect = { body = "a" }
[[sample]]
line = "<<2>> b"
origin = "own"
expect = { body = "b" }
[[sample]]
line = "<<3>> c"
origin = "own"
expect = { body = "c" }
"""


def test_everything_of_the_samples_adds_up(logshed: Run, lake: Path) -> None:
    done = logshed("audit", "--lake", lake)
    assert done.returncode == 0
    assert "4 sources: every line has one fate." in done.stdout


def test_lines_that_vanished_from_the_lake_are_found(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE * 5)
    logshed("ingest", "a.log")
    assert logshed("audit").returncode == 0
    max((tmp_path / "logshed-lake").rglob("*.parquet"), key=lambda path: path.stat().st_size).unlink()
    done = logshed("audit")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("lines", [100, 300_000])  # it waits where formats are detected, and where lines are read
def test_an_interrupt_ends_an_ingest_that_waits_for_its_input(
    environment: dict[str, str], tmp_path: Path, lines: int
) -> None:
    words = [sys.executable, "-m", "logshed", "ingest", "-", "--lake", str(tmp_path / "lake"), "--log-level", "info"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(LINE * lines)
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while not (tmp_path / "lake").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 130
        assert "stopped; everything committed so far is whole" in process.stderr.read()
