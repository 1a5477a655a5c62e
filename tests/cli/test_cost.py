"""``logshed cost`` tells what a lake costs, and what one would cost that is not there yet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

SUPPOSED = ("cost", "--events-per-day", "1000000", "--bytes-per-event", "500")


def test_a_lake_that_is_not_there_is_told_in_tables_and_in_json(logshed: Run) -> None:
    text = logshed(*SUPPOSED)
    assert text.returncode == 0, text.stderr
    rows = [line.split() for line in text.stdout.splitlines()]
    for row in ("bronze 7 3.5 0.08", "silver 90 45 1.04", "gold 360 180 4.14", "total 228.5 5.26"):
        assert ["aws", *row.split()] in rows
    found = json.loads(logshed(*SUPPOSED, "--days-silver", "30", "--json").stdout)
    assert [row["month"] for row in found["storage"] if row["cloud"] == "aws"] == [0.08, 0.35, 4.14, 4.57]


def test_a_lake_is_told_by_its_collections(logshed: Run, lake: Path) -> None:
    done = logshed("cost", "--lake", lake, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["measured_days"] == 1
    assert [row["collection"] for row in found["collections"] if row["cloud"] == "aws"] == ["default"]


def test_half_a_supposition_is_refused(logshed: Run) -> None:
    done = logshed("cost", "--events-per-day", "5")
    assert done.returncode == 2
    assert "give both --events-per-day and --bytes-per-event" in done.stderr


def test_where_there_is_no_lake_it_says_so(logshed: Run, tmp_path: Path) -> None:
    done = logshed("cost", "--lake", tmp_path / "none")
    assert done.returncode == 1
    assert "there is none" in done.stderr
