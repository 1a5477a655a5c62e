"""``logshed reparse`` says what it changed, and what it would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.pipeline.samples import java

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


def test_what_would_change_and_what_did_is_told_for_people_and_for_programs(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.log").write_text("".join(java(number, frames=1) for number in range(4)))
    assert logshed("ingest", "shop.log", "--format", "logfmt", "--lake", "lake").returncode in (0, 3)
    told = logshed("reparse", "--since", "1d", "--dry-run", "--lake", "lake")
    assert told.stdout.splitlines()[-1] == "Nothing was changed.", told.stderr
    assert "12 lines of logfmt are read as java." in told.stdout
    did = json.loads(logshed("reparse", "--since", "1d", "--json", "--lake", "lake").stdout)
    (day,) = did["days"]
    assert (day["rows"], day["parse_errors"]) == ({"before": 12, "after": 4}, {"before": 12, "after": 0})
    assert logshed("reparse", "--since", "1d", "--until", "2020-01-01", "--lake", "lake").stdout == (
        "No line was read in that time.\n"
    )
