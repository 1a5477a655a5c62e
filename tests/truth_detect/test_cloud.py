"""The cloud rules stay as right on panther-analysis' tests and on the simulated attack as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.truth_detect import attack_run, panther

if TYPE_CHECKING:
    from pathlib import Path

RECALL, FALSE_ALERTS = 97.0, 2.0
"""Per cent of all mapped events found at least, and falsely found at most; raise the one and lower the other."""
FORMATS = {
    "AWS.CloudTrail": 97.0,
    "AWS.S3ServerAccess": 80.0,
    "AWS.VPCFlow": 80.0,
    "Amazon.EKS.Audit": 94.0,
    "Azure.Audit": 95.0,
    "Azure.MonitorActivity": 99.0,
    "Databricks.Audit": 98.0,
    "GCP.AuditLog": 93.0,
    "GitHub.Audit": 99.0,
    "GitHub.Webhook": 99.0,
    "Okta.SystemLog": 98.0,
}
"""Per cent of a format's mapped events found at least."""


@pytest.mark.slow
@pytest.mark.truth
def test_events_of_panther_are_found_and_near_misses_left(shared: Path) -> None:
    """Each event is found by the rule of its kind, and each near-miss is left, as far as the floors say."""
    board = panther.score(shared / "truth" / "panther.jsonl")
    wrong = "\n".join(panther.wrong(board))
    assert board["total"].recall >= RECALL, wrong
    assert board["total"].false_alerts <= FALSE_ALERTS, wrong
    low = {name: board[name].recall for name, floor in FORMATS.items() if board[name].recall < floor}
    assert not low, wrong


@pytest.mark.slow
@pytest.mark.truth
def test_every_step_of_the_simulated_attack_is_found(shared: Path) -> None:
    """What the attack did, read out of its records by hand, is found."""
    found = attack_run.run(shared / "truth" / "files" / "cloudtrail" / "attack_run.jsonl")
    assert not attack_run.missed(found)
