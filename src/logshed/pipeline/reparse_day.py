"""What was read on one day made anew: read, written beside, and put in place."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import LakeError, UnsureError
from logshed.lake.adjusting import shared
from logshed.lake.batch import Batches
from logshed.lake.changes import Changes
from logshed.lake.commit import remove_files
from logshed.lake.ledger import Ledger, moved
from logshed.lake.names import CHANGES_PROPERTY, LEDGER_PROPERTY, LINES, LOGS
from logshed.lake.rewriting import Change, OvertakenError, instead
from logshed.lake.scan import frame, iceberg_files, paths
from logshed.lake.steps import step
from logshed.lake.writing import FileWriter
from logshed.pipeline.reparse_report import Reparsed
from logshed.pipeline.reparse_rows import holders
from logshed.pipeline.reparse_slices import windows
from logshed.pipeline.reparse_window import VERB, Reread, Window, WindowTask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from pyiceberg.table import Table

    from logshed.lake.staying import Taken
    from logshed.lake.store import Store
    from logshed.pipeline.away import Runner
    from logshed.pipeline.job import Job
    from logshed.pipeline.reparse_rows import Rows, Wanted
    from logshed.work import DataFile


class Day:
    """One day of a run.

    Args:
        store: The lake.
        wanted: Which lines are read anew.
        day: The day on which they were read.
        how: Policy, formats and enrichment, as of an ingest; and ``auto`` or the format choice for all rows.
        runner: Runs what reads them.
        progress: Is told how far it is.
    """

    def __init__(
        self,
        store: Store,
        wanted: Wanted,
        day: date,
        how: tuple[Job, str],
        runner: Runner,
        progress: Callable[[str], None] | None,
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._how = how
        self._runner = runner
        self._tell = progress
        self._read_rows = 0
        self._done = Reparsed(day)
        self._logs: list[DataFile] = []
        self._lines: list[DataFile] = []
        self._read: set[str] = set()
        self._changed: set[str] = set()
        self._days: set[date] = set()
        self._moved: Counter[tuple[str, str]] = Counter()

    def run(self, *, dry: bool) -> Reparsed:
        """Read it anew, and put the new rows in place unless it is a dry run.

        Raises:
            OvertakenError: Others have rewritten files of it: it must be read again.
            LakeError: The lake cannot be read or written.
        """
        try:
            self._run(dry=dry)
        except UnsureError:
            raise  # the tables may have what was written
        except BaseException as error:
            self._remove_unless_taken()
            if isinstance(error, (LakeError, OSError, pl.exceptions.PolarsError)):
                self._assert_read()  # a file that is gone was replaced, perhaps
            raise
        return self._done

    def _run(self, *, dry: bool) -> None:
        logs = self._store.table(LOGS)  # first: what it has taken, lines has
        lines = self._store.table(LINES)
        kept, taken = shared([logs, lines]), Batches.of(logs)
        counts = {
            batch: count for batch, count in self._wanted.counts(lines, kept, self._done.day).items() if batch in taken
        }
        rows = self._wanted.rows(counts, kept)
        old = holders(logs, rows)
        self._before([one.path for one in old], rows)
        batches = enumerate(windows(counts), start=1)
        every = [self._window(lines, self._wanted.rows(one, kept), number) for number, one in batches]
        self._windows(every, dry=dry)
        if not dry and rows.batches:
            self._commit(logs, old, lines, self._wanted.rows(self._changed, kept))

    def _before(self, files: list[str], rows: Rows) -> None:
        """What the records come to as they are."""
        own = frame(files, LOGS.short).filter(rows.expr)
        facts = own.select(pl.all().count(), pl.len().alias("rows")).collect(engine="streaming").row(0, named=True)
        self._done.rows[0] = facts.pop("rows")
        self._done.errors[0] = facts["parse_error"]
        self._done.filled[0].update(facts)
        self._days |= set(own.select(pl.col("timestamp").dt.date()).unique().collect(engine="streaming").to_series())

    def _window(self, lines: Table, rows: Rows, number: int) -> Window:
        files = tuple(one.path for one in holders(lines, rows))
        self._read |= set(files)
        return Window(number, files, rows)

    def _windows(self, every: Sequence[Window], *, dry: bool) -> None:
        tables = () if dry else (LOGS, LINES)
        writers = {table.short: FileWriter.of(table, self._store.to_write(table)) for table in tables}
        task = WindowTask(*self._how, writers.get(LOGS.short), writers.get(LINES.short), self._told)
        done: dict[int, Reread] = {}
        for one in self._runner.results(self._store, task, every):
            self._logs += one.logs
            self._lines += one.lines
            done[one.number] = one
            if self._runner.elsewhere:
                self._told(one.rows)
        self._sum_up(every, done)

    def _sum_up(self, every: Sequence[Window], done: Mapping[int, Reread]) -> None:
        told = self._done
        for window in every:
            one = done[window.number]
            told.rows[1] += one.rows
            told.errors[1] += one.errors
            told.joined += one.joined
            told.filled[1].update(one.filled)
            for key, count in one.formats.items():
                told.formats[key] = told.formats.get(key, 0) + count
            self._days |= one.days
            self._moved.update(one.moved)
            if one.changed:
                self._changed |= window.rows.batches

    def _commit(self, logs: Table, old: Sequence[Taken], lines: Table, changed: Rows) -> None:
        """Records first: a run that is ended between the two is repaired by the next one over the same day."""
        instead(self._store, logs, old, self._logs, Change(VERB, noted=self._changes))
        step(f"after {VERB} of {LOGS.name}")
        if changed.batches:
            instead(self._store, lines, holders(lines, changed), self._lines, Change(VERB, noted=self._ledger))
            step(f"after {VERB} of {LINES.name}")
        else:
            self._assert_read()  # what was erased since the look before the commit is in it

    def _assert_read(self) -> None:
        """Whether ``lines`` has every file still that was read: what another verb took out of one must not come back.

        Raises:
            OvertakenError: It has not.
        """
        if not self._read <= set(paths(iceberg_files(self._store.table(LINES)))):
            raise OvertakenError

    def _changes(self, table: Table, _: Sequence[Taken]) -> dict[str, str]:
        self._assert_read()
        return {CHANGES_PROPERTY: Changes.of(table).add(self._days).save(self._store.ledger_folder())}

    def _ledger(self, table: Table, _: Sequence[Taken]) -> dict[str, str]:
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

    def _told(self, rows: int) -> None:
        self._read_rows += rows
        if self._tell is not None:
            self._tell(f"reparse {self._done.day}: {self._read_rows:,} of {self._done.rows[0]:,} records")
