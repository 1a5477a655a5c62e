from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


def _lake(logshed: Run, tmp_path: Path, policy: str) -> Path:
    (tmp_path / "a.log").write_text('{"msg":"hi ada@example.com","password":"hunter2"}\n')
    logshed("ingest", tmp_path / "a.log", "--lake", tmp_path / "lake", "--policy", policy)
    return tmp_path / "lake"


def test_a_clean_lake_is_done_and_a_leaking_one_failed(logshed: Run, tmp_path: Path) -> None:
    lake = _lake(logshed, tmp_path, "none")
    done = logshed("verify-redaction", "--lake", lake)
    assert done.returncode == 1
    assert "hunter2" not in done.stdout
    assert "ada@" not in done.stdout
    assert "silver.logs" in done.stdout
    clean = logshed("verify-redaction", "--lake", lake, "--policy", "none")
    assert clean.returncode == 0
    assert clean.stdout.endswith("Nothing that it forbids was found.\n")


def test_the_report_for_programs_names_table_column_rule_and_count(logshed: Run, tmp_path: Path) -> None:
    done = logshed("verify-redaction", "--json", "--lake", _lake(logshed, tmp_path, "none"), "--sample", "100%")
    report = json.loads(done.stdout)
    assert not report["ok"]
    assert {"table", "column", "rule", "count", "where", "examples"} == set(report["leaks"][0])


def test_a_share_that_is_none_is_bad_usage(logshed: Run, tmp_path: Path) -> None:
    for share in ("0", "200%", "much"):
        assert logshed("verify-redaction", "--sample", share, "--lake", tmp_path).returncode == 2
