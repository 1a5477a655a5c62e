from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.cli import pattern_table
from logshed.cli.charts import sparkline
from logshed.patterns import mine

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

DAY = ("--since", "2015-05-20", "--until", "2015-05-21")
NOON = ("--since", "2015-05-20T12:00", "--until", "2015-05-21")


def test_templates_are_shown_most_frequent_first(logshed: Run, lake: Path) -> None:
    done = logshed("patterns", *DAY, "--lake", lake)
    header, first, *_ = done.stdout.splitlines()
    assert header.split()[0] == "count"
    assert first.endswith("request done")
    assert "messages" in done.stderr
    assert "parcel <NUM> done in <DURATION>" in done.stdout


def test_programs_get_all_columns(logshed: Run, lake: Path) -> None:
    rows = json.loads(logshed("patterns", *DAY, "--json", "--limit", "2", "--lake", lake).stdout)
    assert len(rows) == 2
    assert rows[0]["template"] == rows[0]["example"] == "request done"
    assert sum(rows[0]["trend"]) == rows[0]["count"]


def test_a_file_holds_all_templates(logshed: Run, lake: Path, tmp_path: Path) -> None:
    done = logshed("patterns", *DAY, "--limit", "1", "--output", "found.parquet", "--lake", lake)
    assert pl.read_parquet(tmp_path / "found.parquet").height > 10
    assert done.stdout == ""


def test_new_templates_are_told_with_what_they_were_compared_with(logshed: Run, lake: Path) -> None:
    done = logshed("patterns", *NOON, "--new", "--lake", lake)
    assert "Database connection timeout" in done.stdout
    assert "request done" not in done.stdout
    assert "new templates" in done.stderr
    assert "compared with the" in done.stderr


def test_vanished_templates_are_those_of_the_time_before(logshed: Run, lake: Path) -> None:
    assert "Invalid user <*> from <IP>" in logshed("patterns", *NOON, "--vanished", "--lake", lake).stdout


def test_an_empty_time_before_is_told(logshed: Run, lake: Path) -> None:
    done = logshed("patterns", "--since", "all", "--new", "--lake", lake)
    assert "look at another time" in done.stderr


def test_no_messages_are_explained_by_the_span_of_the_lake(logshed: Run, lake: Path) -> None:
    done = logshed("patterns", "--lake", lake)
    assert done.stdout == ""
    assert "try --since 2015-05-" in done.stderr


@pytest.mark.parametrize("words", [("--new", "--vanished"), ("--baseline", "7d")])
def test_options_that_make_no_sense_together_are_refused(logshed: Run, lake: Path, words: tuple[str, ...]) -> None:
    done = logshed("patterns", *words, "--lake", lake)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot ")


def test_a_narrow_terminal_breaks_long_templates_and_leaves_columns_out() -> None:
    frame = mine(pl.DataFrame({"body": ["a word " * 20, "x\x1b[31m", "x\x1b[31m"]})).templates
    lines = list(pattern_table.lines(frame, 60, examples=True))
    assert "share" not in lines[0]
    assert all(len(line) <= 60 for line in lines)
    assert len(lines) > 5
    assert "\x1b" not in "".join(lines)


def test_a_sparkline_has_a_cell_for_each_value() -> None:
    assert sparkline([0, 1, 8, 4]) == " ▁█▄"
    assert sparkline([0, 0]) == "  "
    assert sparkline([1, 1_000_000]) == "▁█"
