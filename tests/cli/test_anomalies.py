from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Two and a half days of a service that fails for half an hour, ten times a minute."""
    dice = random.Random(5)  # noqa: S311 - a test's dice
    begin = NOON - timedelta(hours=60)
    moments = [(begin + timedelta(minutes=3 * n, seconds=dice.random() * 60), "INFO") for n in range(20 * 60)]
    moments += [(NOON - timedelta(hours=3) + timedelta(seconds=6 * n), "ERROR") for n in range(300)]
    lines = [
        json.dumps({"timestamp": when.isoformat(), "level": level, "service": "checkout", "message": "m"})
        for when, level in sorted(moments)
    ]
    (tmp_path / "app.jsonl").write_text("\n".join(lines) + "\n")
    Lake.open(tmp_path / "lake", create=True).ingest([tmp_path / "app.jsonl"])
    return tmp_path / "lake"


def test_findings_are_told_with_their_history_and_what_was_expected(logshed: Run, lake: Path) -> None:
    words = ["anomalies", "--lake", str(lake), "--since", "2026-03-04", "--until", "2026-03-04T12:00"]
    done = logshed(*words)
    assert done.returncode == 0, done.stderr
    assert "2026-03-04 09:00  high      error_rate_jump" in done.stdout
    assert "checkout logged 100 errors in 10 min from 2026-03-04 09:00, 0 to " in done.stdout
    assert " ███  48 buckets of 10 min, expected 0 to " in done.stdout
    one = logshed(*words, "--rule", "error_rate_jump", "--json")
    (row,) = json.loads(one.stdout)
    assert (row["rule_name"], row["event_count"]) == ("error_rate_jump", 300)


def test_nothing_to_tell_is_told(logshed: Run, lake: Path) -> None:
    done = logshed("anomalies", "--lake", str(lake), "--since", "1h")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Nothing stands out since 1h.\n"


def test_detectors_are_listed_and_unknown_ones_refused(logshed: Run, lake: Path) -> None:
    assert "service_silent " in logshed("anomalies", "--list").stdout
    done = logshed("anomalies", "--lake", str(lake), "--rule", "service_silence")
    assert done.returncode == 1
    assert "did you mean service_silent?" in done.stderr


def test_python_gives_the_same_rows(lake: Path) -> None:
    found = Lake.open(lake).anomalies(since="2026-03-04", until=NOON, rule="error_rate_jump").pl()
    assert found["actor"].to_list() == ["checkout"]
