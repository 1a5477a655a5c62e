"""What was read on one day made anew: read, written beside, and put in place."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from uuid import uuid4

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
from logshed.pipeline.reparse_slices import slices, windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from pyiceberg.table import Table

    from logshed.lake.names import TableDef
    from logshed.lake.staying import Taken
    from logshed.lake.store import Store
    from logshed.pipeline.reparse_rows import Rows, Wanted
    from logshed.pipeline.rereading import Reader
    from logshed.work import DataFile

VERB = "reparse"


class Day:
    """One day of a run.

    Args:
        store: The lake.
        wanted: Which lines are read anew.
        day: The day on which they were read.
        reader: Reads them.
        progress: Is told how far it is.
    """

    def __init__(
        self, store: Store, wanted: Wanted, day: date, reader: Reader, progress: Callable[[str], None] | None
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._reader = reader
        self._tell = progress
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
        for number, window in enumerate(windows(counts), start=1):
            self._window(lines, self._wanted.rows(window, kept), number, dry=dry)
        self._done.formats = self._reader.lines
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

    def _window(self, lines: Table, rows: Rows, number: int, *, dry: bool) -> None:
        files = [one.path for one in holders(lines, rows)]
        self._read |= set(files)
        changed, first = False, len(self._lines)
        for part in slices(files, rows, self._reader.held_back):
            self._told()
            read = list(self._reader.read(part))
            logs = pl.concat([one.logs for one in read])
            new = pl.concat([one.lines for one in read])
            self._count(part, new, logs)
            changed |= any(one.changed for one in read)
            if dry:
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
        yield from writer.write(rows, f"{VERB}-{number:05d}-{uuid4().hex}")
        step(f"after {VERB} file")

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

    def _told(self) -> None:
        if self._tell is not None:
            self._tell(f"reparse {self._done.day}: {self._done.rows[1]:,} of {self._done.rows[0]:,} records")
