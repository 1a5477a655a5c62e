"""The verb that looks for what rules describe in the records that are new, and keeps what it finds, exactly once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from logshed.detections import registry
from logshed.errors import LakeError
from logshed.lake.batch import new_batch
from logshed.lake.commit import commit_follower, remove_files
from logshed.lake.held import held
from logshed.lake.names import CASES, ERASED_PROPERTY, FOUND, LOGS, TABLES
from logshed.lake.scan import batches_missing
from logshed.lake.writing import FileWriter
from logshed.pipeline import findings, incidents, lookback
from logshed.pipeline.away import Runner
from logshed.pipeline.detect_report import DetectReport
from logshed.pipeline.relooking import look_again
from logshed.pipeline.rule_cases import carried
from logshed.pipeline.rule_hits import RuleHits
from logshed.pipeline.rule_scan import KEY, Scan
from logshed.pipeline.suppress import Suppressions
from logshed.pipeline.switches import FOLDER, Switches, chosen
from logshed.pipeline.tables import LakeTables
from logshed.sql.duckdb import DuckDB
from logshed.sql.views import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store
    from logshed.settings import Settings
    from logshed.sql.sight import Sight

GROUP_ROWS = 2_000_000
"""Rows of new batches that are looked at in one go; hits of all of them are in memory."""
UNGROUPED = f"""
SELECT * EXCLUDE (batch) FROM findings AS f
WHERE actor IS NOT NULL AND observed_timestamp > now() - INTERVAL 7 DAY AND NOT EXISTS (
    SELECT 1 FROM incidents AS i
    WHERE i.collection = f.collection AND i.actor = f.actor
        AND (contains(i.timeline, f.finding_id) OR i.finding_count > {incidents.TIMELINE}))
"""
"""Findings of late in no incident; a timeline that is full does not tell."""
ROUNDS = 20
"""How often a run is redone that another one overtook."""


class Detect:
    """One run of the verb.

    Args:
        store: The lake.
        settings: Settings.
        rules: Globs on rules' names; empty takes all that are not disabled.
        progress: Is told the records looked at so far, and how many there are.
        runner: Runs what looks at the records; None does it here.
        sight: What of the lake is looked at; None is all.

    Attributes:
        rules: The rules that are looked for, by name.
        switches: Which rules are on.
        first: When the first of the new records happened.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        rules: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
        runner: Runner | None = None,
        sight: Sight | None = None,
    ) -> None:
        self._store = store
        self._sight = sight
        self._runner = runner or Runner.here(settings)
        self._settings = settings
        loaded = registry.load(settings.plugins)
        self.switches = Switches(settings.detect.disabled, store.root)
        self.rules = chosen(loaded.rules, rules, self.switches)
        self._broken = loaded.broken
        self._plain = {one.name: one for rule in self.rules.values() for one in (rule.bases or (rule,))}
        self._scan = Scan(list(self._plain.values()), carried(self.rules.values()), self.rules)
        self._progress = progress
        self.first: datetime | None = None
        self._report = DetectReport(rules=len(self.rules), broken=self._broken)

    def run(self) -> DetectReport:
        """Look at every batch that was not looked at yet.

        Raises:
            LakeError: The lake cannot be read or written; what was committed before is whole.
        """
        started = time.monotonic()
        self._catch_up()
        for _ in range(ROUNDS):
            missing = batches_missing(self._store, FOUND.short, LOGS)
            if not missing:
                break
            for group in self._groups(missing):
                self._group(group)
        look_again(self._store, self)
        self._report.seconds = time.monotonic() - started
        return self._report

    def hits(self, where: str, told: Callable[[int], None] | None = None) -> pl.DataFrame:
        """Hits of the rules in some records, as if all of them were new.

        Args:
            where: Condition over ``logs``.
            told: Is told the records looked at since it was told last.
        """
        return self._hits(self._scan, where, told).with_columns(is_new=pl.lit(value=True))

    def _catch_up(self) -> None:
        """Group findings that a run which ended between its two commits left without an incident."""
        if not self._store.has(FOUND):
            return
        with held(self._store.root / FOLDER):
            self._keep(self._incidents(self.ask(UNGROUPED), datetime.now(UTC)))

    def again(self, since: datetime) -> DetectReport:
        """Look at every record since some time, also those that were looked at before: for rules that are new.

        Raises:
            LakeError: The lake cannot be read or written.
        """
        started, now = time.monotonic(), datetime.now(UTC)
        where = f"timestamp >= {moment_in_sql(since)}"

        def find() -> pl.DataFrame:
            hits = self._hits(self._scan, where, count=True).with_columns(is_new=pl.lit(value=True))
            return findings.make(self.rules, hits, findings.none(), now)

        self.keep(find, now)
        self._report.seconds = time.monotonic() - started
        return self._report

    def keep(self, find: Callable[[], pl.DataFrame], now: datetime, noted: Mapping[str, str] | None = None) -> None:
        """Keep findings that others make, but for those that are kept already and have not grown.

        Args:
            find: Makes rows of ``security.findings``; it is asked again where records were erased meanwhile.
            now: The present.
            noted: Properties of the table that change with it.

        Raises:
            LakeError: The lake cannot be read or written, or records were erased each time.
        """
        for _ in range(ROUNDS):
            erased = self._erased()
            found = find()
            if found.is_empty() and not noted:
                return
            same = self.ask("SELECT finding_id, event_count FROM findings")
            found = found.drop("batch", strict=False).join(same, on=["finding_id", "event_count"], how="anti")
            found, suppressed = Suppressions(self._settings, self._store.root).apply(found, now)
            if not noted and found.is_empty():
                return
            batch = new_batch()
            if (cases := self._commit([batch], found, noted, erased)) is not None:
                self._tell(batch, found, cases, suppressed)
                return
        raise LakeError("cannot keep findings: records were erased each time meanwhile; run the same command again")

    def _tell(self, batch: str, found: pl.DataFrame, cases: pl.DataFrame, suppressed: dict[str, int]) -> None:
        report = self._report
        report.findings = pl.concat([report.findings, found.with_columns(batch=pl.lit(batch))])
        report.incidents = pl.concat([report.incidents, cases.with_columns(batch=pl.lit(batch))])
        for name, count in suppressed.items():
            report.suppressed[name] = report.suppressed.get(name, 0) + count

    def _groups(self, missing: dict[str, list[str]]) -> Iterator[list[str]]:
        """Batches that are looked at together."""
        rows = dict(
            self.ask("SELECT batch, count(*) FROM logs WHERE " + _in(list(missing)) + " GROUP BY 1").iter_rows()
        )
        group: list[str] = []
        total = 0
        for batch in sorted(missing):
            if group and total + rows.get(batch, 0) > GROUP_ROWS:
                yield group
                group, total = [], 0
            group.append(batch)
            total += rows.get(batch, 0)
        yield group

    def _group(self, batches: list[str]) -> None:
        now, erased = datetime.now(UTC), self._erased()
        new = self._hits(self._scan, _in(batches), count=True).with_columns(is_new=pl.lit(value=True))
        hits = pl.concat([new, *self._context(new, batches)])
        known = self.known(hits)
        found = findings.make(self.rules, hits, known, now)
        found, suppressed = Suppressions(self._settings, self._store.root).apply(found, now)
        if (cases := self._commit(batches, found, None, erased)) is not None:
            self._report.batches += len(batches)
            self._tell(batches[-1], found, cases, suppressed)

    def _hits(
        self, scan: Scan, where: str, told: Callable[[int], None] | None = None, *, count: bool = False
    ) -> pl.DataFrame:
        """Hits in the rows that meet a condition: a day a task where tasks run elsewhere."""
        runner = self._runner
        parts = [where] if not runner.elsewhere else [f"({where}) AND {day}" for day in self._days(where)]
        told = self._count if count else told
        task = RuleHits(scan, runner.tables(self._store), runner.limits, told, self._sight)
        frames: list[pl.DataFrame] = []
        for done in runner.results(self._store, task, parts):
            frames += done.frames
            if count:
                self.first = min(filter(None, (self.first, done.first)), default=None)
            if told is not None and runner.elsewhere:
                told(done.rows)
        return pl.concat(frames) if frames else scan.hits(self.ask(scan.select("false")))

    def _count(self, rows: int) -> None:
        self._report.rows += rows
        if self._progress is not None:
            self._progress(self._report.rows, self._report.rows)

    def _days(self, where: str) -> list[str]:
        """A condition for each day (UTC) on which some records happened."""
        sql = f"SELECT DISTINCT time_bucket(INTERVAL 1 DAY, timestamp) AS day FROM logs WHERE {where} ORDER BY 1"
        days = [begin.astimezone(UTC) for begin in self.ask(sql)["day"]]
        return [
            f"timestamp >= {moment_in_sql(day)} AND timestamp < {moment_in_sql(day + timedelta(days=1))}"
            for day in days
        ]

    def _context(self, new: pl.DataFrame, batches: list[str]) -> Iterator[pl.DataFrame]:
        """Hits of other batches near the new ones of correlations, so that late and split series are found too."""
        parts: list[pl.DataFrame] = []
        for look in lookback.looks(self.rules.values(), new):
            scan = Scan([self._plain[name] for name in look.names], carried(self.rules.values()))
            span = f"timestamp BETWEEN {moment_in_sql(look.first)} AND {moment_in_sql(look.last)}"
            parts += look.same_groups(self._hits(scan, f"{span} AND NOT ({_in(batches)})"))
        if parts:
            yield pl.concat(parts).unique(["rule", *KEY], maintain_order=True).with_columns(is_new=pl.lit(value=False))

    def known(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Findings of before that hits may prolong."""
        if hits.is_empty() or not self._store.has(FOUND):
            return findings.none()
        longest = max((rule.correlation.timespan_s for rule in self.rules.values() if rule.correlation), default=0)
        near = timedelta(seconds=max(findings.GAP_S, longest))
        since, until = lookback.span(hits)[0] - near, lookback.span(hits)[1] + near
        named = ", ".join(findings.KNOWN)
        span = f"end_timestamp >= {moment_in_sql(since)} AND timestamp <= {moment_in_sql(until)}"
        return self.ask(f"SELECT {named} FROM findings WHERE {span}")

    def _incidents(self, found: pl.DataFrame, now: datetime) -> pl.DataFrame:
        """The incidents that these findings change."""
        if found["actor"].null_count() == found.height:
            return pl.DataFrame(schema=incidents.SCHEMA)
        since, until = lookback.span(found)[0], lookback.span(found, "end_timestamp")[1]
        near = timedelta(seconds=incidents.GAP_S)
        span = f"end_timestamp >= {moment_in_sql(since - near)} AND timestamp <= {moment_in_sql(until + near)}"
        actors = found.select("actor").unique()
        known = self.ask(f"SELECT * EXCLUDE (batch) FROM incidents WHERE {span}").join(actors, on="actor", how="semi")
        begun = min([since - near, *known["timestamp"]])  # an incident keeps its findings, however old they are
        span = f"end_timestamp >= {moment_in_sql(begun)} AND timestamp <= {moment_in_sql(until + near)}"
        before = self.ask(f"SELECT * EXCLUDE (batch) FROM findings WHERE {span}").join(actors, on="actor", how="semi")
        before = before.join(found.select("finding_id"), on="finding_id", how="anti")
        every = pl.concat([before.select(found.columns).cast(found.schema), found])
        return incidents.group(every, set(found["finding_id"]), known, now)

    def _commit(
        self,
        batches: list[str],
        found: pl.DataFrame,
        noted: Mapping[str, str] | None,
        erased: str,
    ) -> pl.DataFrame | None:
        """Findings first, incidents after them; the next run makes up for incidents that a crash kept back.

        Gives the incidents; None where another run was first, or records were erased since the findings were made.
        """
        with held(self._store.root / FOLDER):  # else what people write on an incident meanwhile would be lost
            if erased != self._erased():
                return None  # they would bring back who is gone
            cases = self._incidents(found, datetime.now(UTC))
            written = self._written(FOUND, found, new_batch())
            if not commit_follower(self._store, FOUND.short, batches[-1], written, also=batches[:-1], noted=noted):
                remove_files(written)
                return None
            self._keep(cases)
        return cases

    def _erased(self) -> str:
        """What tells whether an erasure has taken records away since."""
        return self._store.table(LOGS).properties.get(ERASED_PROPERTY, "")

    def _keep(self, cases: pl.DataFrame) -> None:
        own = new_batch()
        if not cases.is_empty():
            commit_follower(self._store, CASES.short, own, self._written(CASES, cases, own))

    def _written(self, table: TableDef, rows: pl.DataFrame, batch: str) -> list[Any]:
        if rows.is_empty():
            return []
        writer = FileWriter.of(table, self._store.to_write(TABLES[table.short]))
        rows = rows.with_columns(batch=pl.lit(batch)).sort("timestamp")
        return writer.write(rows, f"{batch}-{uuid4().hex[:8]}")

    def ask(self, sql: str) -> pl.DataFrame:
        """What a statement over the lake answers."""
        return DuckDB(LakeTables(lambda: self._store), sight=self._sight).query(sql).pl()


def _in(batches: Sequence[str]) -> str:
    return f"batch IN ({', '.join(map(literal, batches))})"


def moment_in_sql(moment: datetime) -> str:
    """A moment as a literal."""
    return f"TIMESTAMPTZ {literal(moment.isoformat())}"
