"""The verb that makes ``logs`` anew from ``lines`` after a format was mended: what was read on a day in one commit."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from logshed.errors import CommitConflictError
from logshed.lake import replacing
from logshed.lake.batch import Batches
from logshed.lake.changes import Changes
from logshed.lake.commit import remove_files
from logshed.lake.ledger import Ledger, moved
from logshed.lake.names import CHANGES_PROPERTY, LEDGER_PROPERTY, LINES, LOGS
from logshed.lake.replacing import OvertakenError, Rows
from logshed.lake.scan import frame, iceberg_files, paths
from logshed.lake.steps import step
from logshed.lake.writing import FileWriter
from logshed.pipeline.catchup import catch_up
from logshed.pipeline.planning import AUTO
from logshed.pipeline.reparse_report import Reparsed
from logshed.pipeline.reparse_slices import slices, windows
from logshed.pipeline.rereading import Reader
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime

    from pyiceberg.table import Table

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store
    from logshed.pipeline.job import Job
    from logshed.work import DataFile

TRIES = 5
"""How often a day is read again whose files others rewrite meanwhile."""


class Reparse:
    """One run of the verb.

    Args:
        store: The lake.
        job: Policy, formats and enrichment, as of an ingest.
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
        self._span = (since, until)
        self._format = format_text
        self._only = (tuple(collections), source)
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
                done = _Day(self, day).run()
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
        since, until = self._span
        target = f"lines read from {since.isoformat()} to {until.isoformat() if until else 'now'}"
        told = {"format": self._format, "only": self._only, "did": [one.as_dict() for one in self.report]}
        trail.note("reparse", target, outcome, told)
        trail.ship(self._store)

    def _days(self) -> list[date]:
        """Days on which something that is wanted was read."""
        table = self._store.table(LINES)
        if table.current_snapshot() is None:
            return []
        rows = frame(paths(iceberg_files(table, self._near())), LINES.short).filter(self._wanted())
        days = rows.select(pl.col("observed_timestamp").dt.date().alias("day")).unique().collect(engine="streaming")
        return list(days["day"])

    def _near(self) -> str:
        since, until = self._span
        ends = [f"observed_timestamp >= '{since.isoformat()}'"]
        return " and ".join([*ends, *([f"observed_timestamp < '{until.isoformat()}'"] if until else [])])

    def _wanted(self) -> pl.Expr:
        since, until = self._span
        time_read = pl.col("observed_timestamp")
        return self.rows(()).chosen & (time_read >= since) & (time_read < until if until else pl.lit(value=True))

    def counts(self, lines: Table, day: date, done: Batches) -> dict[str, int]:
        """Rows of a day by batch, of batches that ``logs`` has taken: others are on their way there."""
        rows = frame(paths(iceberg_files(lines, self._near())), LINES.short).filter(
            self._wanted() & (pl.col("observed_timestamp").dt.date() == day)
        )
        found = rows.group_by("batch").len().collect(engine="streaming")
        return {batch: count for batch, count in found.iter_rows() if batch in done}

    def rows(self, batches: Sequence[str]) -> Rows:
        """The rows of some batches that are wanted."""
        collections, source = self._only
        return Rows(frozenset(batches), collections, source)


class _Day:
    """What was read on one day."""

    def __init__(self, run: Reparse, day: date) -> None:
        self._run = run
        self._store, self._dry = run._store, run._dry  # noqa: SLF001 - of the same module
        self._job = run._job  # noqa: SLF001 - as above
        self._reader = Reader(run._job, run._format)  # noqa: SLF001 - as above
        self._tell = run._progress  # noqa: SLF001 - as above
        self._done = Reparsed(day)
        self._logs: list[DataFile] = []
        self._lines: list[DataFile] = []
        self._changed: set[str] = set()
        self._days: set[date] = set()
        self._moved: Counter[tuple[str, str]] = Counter()

    def run(self) -> Reparsed:
        """Read it anew, and put the new rows in place."""
        logs = self._store.table(LOGS)  # first: what it has taken, lines has
        lines = self._store.table(LINES)
        counts = self._run.counts(lines, self._done.day, Batches.of(logs))
        rows = self._run.rows(list(counts))
        try:
            old = replacing.holders(logs, rows)
            self._before(paths(old), rows)
            for number, window in enumerate(windows(counts), start=1):
                self._window(lines, self._run.rows(window), number)
            self._done.formats = self._reader.lines
            if not self._dry:
                self._commit(logs, lines, rows)
        except BaseException:
            self._remove_unless_taken()
            raise
        return self._done

    def _before(self, files: list[str], rows: Rows) -> None:
        """What the records come to as they are."""
        own = frame(files, LOGS.short).filter(rows.expr)
        facts = own.select(pl.all().count(), pl.len().alias("rows")).collect(engine="streaming").row(0, named=True)
        self._done.rows[0] = facts.pop("rows")
        self._done.errors[0] = facts["parse_error"]
        self._done.filled[0].update(facts)
        self._days |= set(own.select(pl.col("timestamp").dt.date()).unique().collect(engine="streaming").to_series())

    def _window(self, lines: Table, rows: Rows, number: int) -> None:
        files = paths(replacing.holders(lines, rows))
        changed, first = False, len(self._lines)
        for part in slices(files, rows, self._reader.held_back):
            self._told()
            read = list(self._reader.read(part))
            logs = pl.concat([one.logs for one in read])
            new = pl.concat([one.lines for one in read])
            self._count(part, new, logs)
            changed |= any(one.changed for one in read)
            if self._dry:
                continue
            self._logs += self._written(LOGS, logs.sort("timestamp", maintain_order=True), number)
            self._lines += self._written(LINES, new, number)
        if changed:
            self._changed |= rows.batches
        else:  # they are what rests already
            remove_files(self._lines[first:])
            del self._lines[first:]

    def _count(self, before: pl.DataFrame, lines: pl.DataFrame, logs: pl.DataFrame) -> None:
        """What the records come to now, and whose lines a format takes that none took, or the other way round."""
        done = self._done
        done.rows[1] += logs.height
        done.errors[1] += logs.height - logs["parse_error"].null_count()
        done.filled[1].update({name: logs.height - logs[name].null_count() for name in logs.columns})
        done.joined += before.height - lines.height
        self._days |= set(logs["timestamp"].dt.date().unique())
        for sign, rows in ((1, before), (-1, lines)):
            rejected = rows.filter(pl.col("parse_error").is_not_null())
            for source, generation, count in (
                rejected.group_by("source", "generation").agg(pl.col("line_count").sum()).iter_rows()
            ):
                self._moved[source, generation] += sign * count

    def _written(self, table: TableDef, rows: pl.DataFrame, number: int) -> Iterator[DataFile]:
        writer = FileWriter.of(table, self._store.to_write(table))
        yield from writer.write(rows, f"{replacing.STEM}{number:05d}-{uuid4().hex}")
        step("after reparse file")

    def _commit(self, logs: Table, lines: Table, rows: Rows) -> None:
        """Records first: a run that is ended between the two is repaired by the next one over the same day."""
        if not rows.batches:
            return
        self._swap(LOGS, logs, rows, self._logs, self._changes)
        if self._changed:
            self._swap(LINES, lines, self._run.rows(sorted(self._changed)), self._lines, self._ledger)

    def _swap(
        self,
        table: TableDef,
        loaded: Table,
        rows: Rows,
        new: list[DataFile],
        properties: Callable[[Table], dict[str, str]],
    ) -> None:
        old = replacing.holders(loaded, rows)
        for file in old:
            stays = replacing.rest(loaded, table, file, rows)
            new += [] if stays is None else [stays]
        replacing.replace(self._store, table, old, new, properties)

    def _changes(self, table: Table) -> dict[str, str]:
        return {CHANGES_PROPERTY: Changes.of(table).add(self._days).save(self._store.ledger_folder())}

    def _ledger(self, table: Table) -> dict[str, str]:
        """The ledger with the lines that have another fate now."""
        entries = moved({key: count for key, count in self._moved.items() if count})
        if entries.is_empty():
            return {}
        return {LEDGER_PROPERTY: Ledger.of(table).append(entries, self._store.ledger_folder())}

    def _remove_unless_taken(self) -> None:
        """Give the room back. An interrupt may come after a commit: then the table has them."""
        for table, files in ((LOGS, self._logs), (LINES, self._lines)):
            taken = set(paths(iceberg_files(self._store.table(table)))) if files else set()
            remove_files(file for file in files if file.path not in taken)

    def _told(self) -> None:
        if self._tell is not None:
            self._tell(f"reparse {self._done.day}: {self._done.rows[1]:,} of {self._done.rows[0]:,} records")
