"""``logshed erase`` and ``logshed verify`` say what they did, what they would do, and what is not as it should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A lake of three records of two users."""
    log = tmp_path / "app.log"
    users = ("anna", "bert", "anna")
    log.write_text(
        "".join(json.dumps({"message": f"step {number}", "user_id": user}) + "\n" for number, user in enumerate(users))
    )
    lake = Lake.open(tmp_path / "lake", create=True, settings=Settings.load(tmp_path, environ={}))
    lake.ingest([str(log)])
    return lake.root


def test_a_user_is_erased_by_a_value_that_only_standard_input_has(logshed: Run, small: Path) -> None:
    told = logshed("erase", "--user", "-", "--dry-run", "--lake", small, stdin="anna\n")
    assert told.returncode == 0, told.stderr
    assert "4 rows would be erased from 2 files" in told.stdout
    done = logshed("erase", "--user", "-", "--lake", small, "--json", stdin="anna\n")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["ok"], found["rows"]) == (True, {"bronze.lines": 2, "silver.logs": 2})
    assert logshed("query", "SELECT user_id FROM logs", "--lake", small).stdout.split()[-1] == "bert"
    whole = logshed("verify", "--lake", small)
    assert whole.returncode == 0, whole.stdout
    assert "1 receipts of erasures" in whole.stdout
    assert "Everything is as it was committed." in whole.stdout


def test_a_changed_file_is_named_and_the_exit_code_is_1(logshed: Run, small: Path) -> None:
    file = next((small / "warehouse" / "bronze").rglob("*.parquet"))
    file.write_bytes(file.read_bytes() + b"x")
    done = logshed("verify", "--lake", small)
    assert done.returncode == 1
    assert f"changed {file}" in done.stdout
    assert json.loads(logshed("verify", "--lake", small, "--json").stdout)["problems"] == [
        {"kind": "changed", "what": str(file)}
    ]


def test_what_cannot_be_cleaned_is_named_and_wrong_words_are_refused(logshed: Run, small: Path, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / "000000000001.seg").write_bytes(b"for anna")
    (spool / "dead").mkdir()
    (spool / "dead" / "2026-11-26.jsonl").write_bytes(b'{"text":"of anna"}')
    done = logshed("erase", "--user", "anna", "--lake", small, env={"LOGSHED_SPOOL": str(spool)})
    assert done.returncode == 1
    assert "not clean" in done.stdout
    assert "lines in the spool hold it" in done.stdout
    assert "it was kept aside in the spool" in done.stdout
    refused = logshed("erase", "--column", "user_id", "--lake", small)
    assert refused.returncode == 2
    assert "give a user, or a column with its value" in refused.stderr
