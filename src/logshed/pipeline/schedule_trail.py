"""Notes what ran by the clock in the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.store import Store
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything
from logshed.redaction.policy_files import load_policy

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.pipeline.schedule_run import Outcome
    from logshed.schedule_settings import Schedule
    from logshed.settings import Settings


def note(schedule: Schedule, done: Outcome, root: Path, settings: Settings) -> None:
    """Note a run, and bring the trail into the lake.

    Raises:
        logshed.errors.LogshedError: It cannot be written; where only the lake cannot, a later run brings it there.
    """
    policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
    redactor = Redactor(of_everything(policy))
    trail = Trail(root / FILE, lambda text: str(redactor.redact(pl.Series([text])).text[0]))
    outcome = "ok" if done.state.outcome == "ok" else "failed"
    trail.note("schedule", schedule.name, outcome, done.details(schedule.words))
    trail.ship(Store.open(root, create=False, backing=settings.backing))
