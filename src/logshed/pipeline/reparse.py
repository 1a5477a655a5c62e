"""The verb that makes ``logs`` anew from ``lines`` after a format was mended: what was read on a day in one commit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import CommitConflictError
from logshed.lake.adjusting import shared
from logshed.lake.names import LINES, LOGS
from logshed.lake.rewriting import OvertakenError
from logshed.pipeline.catchup import catch_up
from logshed.pipeline.planning import AUTO
from logshed.pipeline.reparse_day import Day
from logshed.pipeline.reparse_rows import Wanted
from logshed.pipeline.rereading import Reader
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from logshed.lake.store import Store
    from logshed.pipeline.away import Runner
    from logshed.pipeline.job import Job
    from logshed.pipeline.reparse_report import Reparsed

TRIES = 5
"""How often a day is read again whose files others rewrite meanwhile."""


class Reparse:
    """One run of the verb.

    Args:
        store: The lake.
        job: Policy, formats and enrichment, as of an ingest.
        runner: Runs what reads them.
        since: Lines that were read since then.
        until: Lines that were read before; None takes all.
        format_text: ``auto``, or the format choice for all of them.
        collections: Only of these collections; none are all.
        source: Only of sources that this glob matches.
        dry: Only say what would be done.
        progress: Is told what is begun.

    Raises:
        FormatError: There is no such format.
    """

    def __init__(
        self,
        store: Store,
        job: Job,
        runner: Runner,
        since: datetime,
        until: datetime | None = None,
        *,
        format_text: str = AUTO,
        collections: Sequence[str] = (),
        source: str | None = None,
        dry: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._job = job
        self._runner = runner
        self._wanted = Wanted(since, until, tuple(collections), source)
        self._format = format_text
        self._dry = dry
        self._progress = progress
        self.report: list[Reparsed] = []
        Reader(job, format_text)

    def run(self) -> list[Reparsed]:
        """Read the days anew, one after another.

        Raises:
            LakeError: The lake cannot be read or written; the days before are done.
            CommitConflictError: Others rewrite the same files again and again.
        """
        outcome = "failed"
        try:
            if not self._dry:
                catch_up(self._store, self._job)
            for day in sorted(self._days()):
                self.report.append(self._day(day))
            outcome = "ok"
        finally:
            if not self._dry:
                self._note(outcome)
        return self.report

    def _day(self, day: date) -> Reparsed:
        begun = time.monotonic()
        for _ in range(TRIES):
            try:
                one = Day(self._store, self._wanted, day, (self._job, self._format), self._runner, self._progress)
                done = one.run(dry=self._dry)
            except OvertakenError:
                continue
            done.seconds = round(time.monotonic() - begun, 3)
            return done
        raise CommitConflictError(
            f"cannot reparse what was read on {day}: other processes keep rewriting its files; run it again"
        )

    def _note(self, outcome: str) -> None:
        redactor = Redactor(of_everything(self._job.policy))
        trail = Trail(self._store.root / FILE, lambda text: str(redactor.redact(pl.Series([text])).text[0]))
        wanted = self._wanted
        target = f"lines read from {wanted.since.isoformat()} to {wanted.until.isoformat() if wanted.until else 'now'}"
        only = (wanted.collections, wanted.source)
        told = {"format": self._format, "only": only, "did": [one.as_dict() for one in self.report]}
        trail.note("reparse", target, outcome, told)
        trail.ship(self._store)

    def _days(self) -> list[date]:
        """Days on which something that is wanted was read."""
        logs, lines = self._store.table(LOGS), self._store.table(LINES)
        return self._wanted.days(lines, shared([logs, lines]))
