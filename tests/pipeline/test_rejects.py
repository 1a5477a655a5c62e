from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.pipeline.samples import accesses

from logshed.api import Lake
from logshed.pipeline import rejects as verb

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = """
title = "Tills"
kind = "regex"
log_type = "application"
specificity = 60
times = ["iso"]
patterns = ['^TILL (?P<timestamp>[^ ]+) (?P<user_id>[a-z]+) (?P<body>.*)$']

[[sample]]
line = "TILL 2026-11-01T10:00:00Z ada opened"
[sample.expect]
user_id = "ada"

[[sample]]
line = "TILL 2026-11-01T10:00:01Z bob opened"
[sample.expect]
user_id = "bob"

[[sample]]
line = "TILL 2026-11-01T10:00:02Z eve closed"
[sample.expect]
user_id = "eve"
"""
TILLS = "".join(f"TILL 2026-11-01T10:00:0{number}Z ada opened {number}\n" for number in range(5))


@pytest.fixture
def rejecting(lake: Lake, logs: Path) -> Lake:
    (logs / "access.log").write_text(accesses(0, 4) + TILLS + "nothing takes this\n")
    report = lake.ingest([logs / "access.log"])
    assert (report.totals.stored, report.totals.rejected) == (4, 6)
    return lake


def with_format(lake: Lake, tmp_path: Path) -> Lake:
    folder = tmp_path / "own" / "formats"
    folder.mkdir(parents=True)
    (folder / "till.toml").write_text(FORMAT)
    return Lake(lake.root, lake.settings.model_copy(update={"plugins": (tmp_path / "own",)}))


def state(lake: Lake) -> list[tuple[object, ...]]:
    return lake.query('SELECT log_format, user_id, parse_error FROM logs ORDER BY "offset"').rows()


def test_rejects_are_listed_with_the_reason(rejecting: Lake) -> None:
    found = rejecting.rejects()
    text, reason = found.columns.index("text"), found.columns.index("parse_error")
    rows = found.rows()
    assert [row[text] for row in rows] == [*TILLS.splitlines(), "nothing takes this"]
    assert all(row[reason] for row in rows)


def test_a_replay_takes_what_a_new_format_knows(rejecting: Lake, tmp_path: Path) -> None:
    assert rejecting.replay_rejects().taken == 0
    lake = with_format(rejecting, tmp_path)
    report = lake.replay_rejects()
    assert (report.tried, report.taken, report.formats) == (6, 5, {"till": 5})
    assert [row[:2] for row in state(lake)][4:9] == [("till", "ada")] * 5
    assert state(lake)[9][2]
    assert len(state(lake)) == 10
    assert lake.audit().as_dict()["ok"], lake.audit().as_dict()
    assert lake.replay_rejects().taken == 0


def test_a_replay_ended_between_its_two_steps_is_finished_by_the_next(
    rejecting: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = with_format(rejecting, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(verb, "_finish", lambda *_: None)
        lake.replay_rejects()
    assert not lake.audit().ok
    lake.replay_rejects()
    assert lake.audit().as_dict()["ok"], lake.audit().as_dict()
    assert [row[0] for row in state(lake)][4:9] == ["till"] * 5
