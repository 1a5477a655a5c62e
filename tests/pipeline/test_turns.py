"""What is to be judged is judged once enough time has passed, also where several processes look at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logshed.pipeline.turns import Turns

if TYPE_CHECKING:
    from pathlib import Path

EVERY = timedelta(minutes=1)
NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


def turns(root: Path) -> Turns:
    return Turns(root, "anomalies", EVERY)


def test_what_comes_too_early_waits_for_the_next_turn(tmp_path: Path) -> None:
    one, late = turns(tmp_path), NOW - timedelta(days=3)
    assert one.due(NOW, NOW) == NOW
    one.done(NOW)
    assert turns(tmp_path).due(late, NOW + EVERY / 2) is None
    assert turns(tmp_path).due(None, NOW + EVERY) == late


def test_what_another_notes_while_one_judges_is_judged_later(tmp_path: Path) -> None:
    one, other, late = turns(tmp_path), turns(tmp_path), NOW - timedelta(days=3)
    one.done(NOW - EVERY / 2)
    judging = turns(tmp_path)
    assert judging.due(NOW, NOW + EVERY) == NOW - EVERY / 2
    assert other.due(late, NOW - EVERY / 3) is None
    judging.done(NOW + EVERY)
    assert turns(tmp_path).due(None, NOW + 2 * EVERY) == late


def test_what_was_to_be_judged_when_a_process_was_killed_is_judged_by_the_next(tmp_path: Path) -> None:
    turns(tmp_path).done(NOW)
    late = NOW - timedelta(days=3)
    assert turns(tmp_path).due(late, NOW + EVERY) == late
    assert turns(tmp_path).due(None, NOW + 2 * EVERY) == late
