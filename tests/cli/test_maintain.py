"""``logshed maintain`` says what it did, what it would do, and when there is nothing to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.pipeline.test_erasing import put

from logshed.api import Lake
from logshed.lake.names import FOUND
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

INGESTS = 5


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A lake of five small ingests."""
    log = tmp_path / "app.log"
    lake = Lake.open(tmp_path / "lake", create=True, settings=Settings.load(tmp_path, environ={}))
    for number in range(INGESTS):
        with log.open("a") as file:
            file.write(f"2026-11-01T12:00:0{number}Z ERROR order {number} failed\n")
        lake.ingest([str(log)])
    return lake.root


def test_it_says_what_it_would_do_then_does_it_and_then_has_nothing_to_do(logshed: Run, small: Path) -> None:
    told = logshed("maintain", "--dry-run", "--lake", small).stdout
    assert told.count("would be compacted") == 2
    done = logshed("maintain", "--lake", small)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("5 files (") == 2
    assert done.stdout.count("became 1 (") == 2
    assert "younger than the grace period" in done.stdout
    again = logshed("maintain", "--lake", small)
    assert again.stdout.startswith("Nothing to do.\n")
    counted = logshed("query", "SELECT count(*) AS records FROM logs", "--lake", small).stdout
    assert counted.split()[-1] == str(INGESTS)


def test_it_tells_programs_in_json(logshed: Run, small: Path) -> None:
    told = json.loads(logshed("maintain", "compact", "--table", "logs", "--lake", small, "--json").stdout)
    assert told["dry_run"] is False
    ((task, table, files, made),) = [(one["task"], one["table"], one["files"], one["made"]) for one in told["did"]]
    assert (task, table, files, made) == ("compact", "logs", 5, 1)


def test_a_table_that_cannot_be_kept_is_told_and_makes_it_fail(logshed: Run, small: Path) -> None:
    file = next((small / "warehouse" / "silver").rglob("*.parquet"))
    file.write_bytes(b"rubbish")
    done = logshed("maintain", "compact", "--lake", small)
    assert done.returncode == 1
    assert "error: cannot compact " in done.stderr
    assert "restore it from a backup" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["tidy"], 2, "tidy"),
        (["orphans", "--grace", "1h"], 2, "a running writer commits files of up to 12 hours; give --grace 12h or more"),
        (["--grace", "2999-01-01"], 2, "it lies ahead; give a span such as 24h or 7d"),
        (["--table", "nothing"], 2, "there is no such table; take lines, logs"),
    ],
)
def test_words_that_do_not_fit_are_told(words: list[str], code: int, message: str, logshed: Run, lake: Path) -> None:
    done = logshed("maintain", *words, "--lake", lake)
    assert done.returncode == code
    assert message in " ".join(done.stderr.replace("│", " ").split())


def test_where_there_is_no_lake_it_says_how_to_make_one(logshed: Run, tmp_path: Path) -> None:
    done = logshed("maintain", "--lake", tmp_path / "none")
    assert done.returncode == 1
    assert "there is none; run `logshed ingest PATH --lake" in done.stderr


def test_rows_that_go_by_their_age_are_told_with_the_setting_and_the_first_ones_by_a_line_of_their_own(
    logshed: Run, small: Path
) -> None:
    lake = Lake.open(small, settings=Settings.load(small.parent, environ={}))
    for number, years in enumerate((3, 2, 0)):
        put(lake, FOUND, finding_id=f"f-{number}", observed_timestamp=datetime.now(UTC) - timedelta(days=366 * years))
    told = logshed("maintain", "retain", "--dry-run", "--lake", small).stdout
    assert "2 rows would be removed from 2 files" in told
    done = logshed("maintain", "--lake", small).stdout
    for words in (
        "2 rows removed from 2 files",
        "by retain.findings = 365d (the default)",
        "NOTE: 2 rows of findings went",
    ):
        assert words in " ".join(done.split()), words
    put(lake, FOUND, finding_id="f-9", observed_timestamp=datetime.now(UTC) - timedelta(days=400))
    did = json.loads(logshed("maintain", "retain", "--lake", small, "--json").stdout)["did"]
    (one,) = [one for one in did if one["rows"]]
    assert (one["table"], one["rows"], one["first"]) == ("findings", 1, False)
    first = "SELECT details FROM audit WHERE verb = 'maintain' ORDER BY sequence"
    noted = [json.loads(text)["did"][0] for (text,) in Lake.open(small).query(first).rows()]
    assert [(one["rows"], one["setting"], one["first"]) for one in noted] == [
        (2, "retain.findings = 365d (the default)", True),
        (1, "retain.findings = 365d (the default)", False),
    ]
