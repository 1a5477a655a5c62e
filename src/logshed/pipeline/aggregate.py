"""The verb that keeps the gold tables: what the days of new records come to, computed anew and put in place at once."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from logshed.errors import LakeError, QueryError, StorageError, WorkerLostError
from logshed.lake.adjusting import aged
from logshed.lake.ages import COMPUTED
from logshed.lake.changes import Changes, seen_by
from logshed.lake.commit import remove_files, replace_days
from logshed.lake.names import CHANGES_SEEN_PROPERTY, LOGS, gold
from logshed.lake.scan import batches_missing
from logshed.lake.writing import FileWriter
from logshed.pipeline.away import Runner
from logshed.pipeline.day_rows import DayRows
from logshed.pipeline.tables import LakeTables
from logshed.queries.gold import GoldTable, load
from logshed.sql.duckdb import DuckDB
from logshed.sql.views import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store
    from logshed.settings import Settings
    from logshed.work import DataFile

log = logging.getLogger(__name__)

ROUNDS = 20
"""How often a table is computed anew that others change meanwhile."""
DAYS_AT_ONCE = 31
"""Days that one statement computes; more would hold too many groups in memory."""


@dataclass(slots=True)
class Refreshed:
    """What became of one gold table.

    Attributes:
        table: Its name.
        days: Days that were computed anew.
        rows: Rows that they have now.
        seconds: How long it took.
        error: Why it could not be done.
    """

    table: str
    days: int = 0
    rows: int = 0
    seconds: float = 0.0
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


@dataclass(slots=True)
class Aggregate:
    """One run of the verb.

    Args:
        store: The lake.
        settings: Settings.
        tables: Names of gold tables; empty takes all.
        rebuild: Compute every day anew.
        progress: Is told the table that is begun.
        runner: Runs what computes days; None does it here.
    """

    store: Store
    settings: Settings
    tables: Sequence[str] = ()
    rebuild: bool = False
    progress: Callable[[str], None] | None = None
    runner: Runner | None = None
    report: list[Refreshed] = field(default_factory=list)

    def run(self) -> list[Refreshed]:
        """Refresh the tables; one that fails is told and stops no other.

        Raises:
            QueryError: A table's file is wrong, or there is none of a name.
            LakeError: The lake cannot be read or written.
        """
        known = load(self.settings.plugins)
        unknown = sorted(set(self.tables) - set(known))
        if unknown:
            raise QueryError(f"cannot refresh {unknown[0]}: there is no such gold table; take {', '.join(known)}")
        for name, table in known.items():
            if not self.tables or name in self.tables:
                if self.progress is not None:
                    self.progress(name)
                self.report.append(self._refreshed(table))
        return self.report

    def again(self, days: set[date]) -> list[Refreshed]:
        """Compute some days anew in every gold table that was made, but for those from which records have aged.

        Raises:
            QueryError: A table's file is wrong.
            LakeError: The lake cannot be read or written.
        """
        there = self.store.gold_tables()
        wanted = sorted(days - aged(self.store.table(LOGS)))
        for name, table in load(self.settings.plugins).items():
            if name in there:
                self.report.append(self._refreshed(table, wanted))
        return self.report

    def _refreshed(self, table: GoldTable, again: Sequence[date] | None = None) -> Refreshed:
        done = Refreshed(table.name)
        begun = time.monotonic()
        definition = gold(table.name, table.columns)
        try:
            whole = self.store.fit(definition) or self.rebuild
            if not any(self._turn(table, definition, done, again, whole=whole) for _ in range(ROUNDS)):
                done.error = f"cannot refresh {table.name}: other writers keep changing it; run the same command again"
        except (QueryError, LakeError, WorkerLostError) as error:
            done.error = str(error)
        done.seconds = round(time.monotonic() - begun, 3)
        return done

    def _turn(
        self, table: GoldTable, definition: TableDef, done: Refreshed, again: Sequence[date] | None, *, whole: bool
    ) -> bool:
        """Whether the table is as it should be now; if not, another has changed it since and it is computed anew."""
        base = self.store.table(definition)  # first: what changes after this, or in the records, is then seen
        changes = Changes.of(self.store.table(LOGS))
        missing = batches_missing(self.store, definition, LOGS) if again is None else {}
        days = self._days(list(missing), whole=whole) if again is None else list(again)
        days = sorted({*days, *changes.after(seen_by(base))} - aged(self.store.table(LOGS)))
        if not (missing or days):
            return True
        files: list[DataFile] = []
        try:
            for made in self._computed(table, definition, days) if days else ():
                files += made
            seen = {CHANGES_SEEN_PROPERTY: str(changes.last)}
            put = replace_days(self.store, definition, base, list(missing), days, files, seen)
        except (QueryError, LakeError, WorkerLostError) as error:
            if not isinstance(error, StorageError):  # else the table may have them
                remove_files(files)
            raise
        if put:
            done.days, done.rows = len(days), sum(file.rows for file in files)
        else:
            remove_files(files)
        return put

    def _days(self, batches: list[str], *, whole: bool) -> list[date]:
        """The days (UTC) on which the records of new batches happened, or all days that there are."""
        if not batches and not whole:
            return []
        where = "true" if whole else f"batch IN ({', '.join(map(literal, batches))})"
        sql = f"SELECT DISTINCT CAST(timestamp AT TIME ZONE 'UTC' AS DATE) AS day FROM logs WHERE {where} ORDER BY 1"
        gone = aged(self.store.table(LOGS))  # what is left of such a day comes to less than what was there
        return [row[0] for row in self._engine().query(sql).rows() if row[0] not in gone]

    def _computed(self, table: GoldTable, definition: TableDef, days: Sequence[date]) -> Iterator[tuple[DataFile, ...]]:
        """A file for each day; a day a task where tasks run elsewhere, else many, since a statement has its price."""
        runner = self.runner or Runner.here(self.settings)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        writer = replace(FileWriter.of(definition, self.store.to_write(definition)), notes=((COMPUTED, now),))
        task = DayRows(table, writer, runner.tables(self.store), runner.limits)
        return runner.results(self.store, task, runs(days, 1 if runner.elsewhere else DAYS_AT_ONCE))

    def _engine(self) -> DuckDB:
        return DuckDB(LakeTables(lambda: self.store))


def runs(days: Sequence[date], most: int = DAYS_AT_ONCE) -> Iterator[list[date]]:
    """Days that follow each other, at most so many at a time."""
    run: list[date] = []
    for day in days:
        if run and (day - run[-1] > timedelta(days=1) or len(run) >= most):
            yield run
            run = []
        run.append(day)
    if run:
        yield run
