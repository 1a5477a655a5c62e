from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


def test_formats_are_listed(logshed: Run) -> None:
    names = {one["name"] for one in json.loads(logshed("formats", "list", "--json").stdout)}
    assert {"apache_combined", "json", "logfmt", "java", "docker_json", "cri", "syslog_rfc5424"} <= names


def test_a_format_is_shown_with_its_samples(logshed: Run) -> None:
    shown = logshed("formats", "show", "apache_combined").stdout
    assert "http_response_status_code = " in shown


def test_a_format_parses_its_own_samples(logshed: Run) -> None:
    done = logshed("formats", "test", "apache_combined")
    assert done.returncode == 0, done.stdout
    assert "all as expected" in done.stdout


@pytest.mark.soak  # tests/formats/test_samples.py looks at each of ours
def test_every_format_parses_its_own_samples(logshed: Run) -> None:
    done = logshed("formats", "test")
    assert done.returncode == 0, done.stdout
    assert "all as expected" in done.stdout


def test_a_file_is_explained_with_winner_share_and_what_fits_neither(logshed: Run, examples: Path) -> None:
    shown = logshed("formats", "explain", examples / "access.log").stdout
    assert "winner: apache_combined" in shown
    told = json.loads(logshed("formats", "explain", examples / "docker-json.log", "--json").stdout)
    assert told["format"] == "docker_json/java"
    assert told["share"] == 1.0


def test_a_missing_file_cannot_be_explained(logshed: Run) -> None:
    done = logshed("formats", "explain", "gone.log")
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot ")
