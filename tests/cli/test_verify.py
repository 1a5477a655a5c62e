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


def test_points_of_a_law_are_told_with_evidence_and_one_that_is_not_met_fails(logshed: Run, tmp_path: Path) -> None:
    lake = _lake(logshed, tmp_path, "default")
    done = logshed("compliance", "--regime", "gdpr", "--lake", lake)
    assert done.returncode == 1
    assert "MET          Credentials are redacted (Article 32(1), security of processing)" in done.stdout
    assert "MET          A person's records can be erased (Article 17)" in done.stdout
    assert "NOT MET      Addresses are masked or removed" in done.stdout
    report = json.loads(logshed("compliance", "--regime", "pci", "--lake", lake, "--json").stdout)
    assert {answer["state"] for answer in report["answers"]} == {"met", "not met", "for a human"}
    assert "use one of ccpa, gdpr, hipaa, pci" in logshed("compliance", "--regime", "sox", "--lake", lake).stderr
