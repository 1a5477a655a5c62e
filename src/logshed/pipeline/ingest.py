"""The main verb: files in, redacted, exactly once into the tables."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from logshed import buckets, self_traces
from logshed.enrichment import sources
from logshed.errors import (
    CommitConflictError,
    EngineError,
    EnrichmentError,
    LakeError,
    LogshedError,
    SettingsError,
    UsageError,
    WorkerLostError,
)
from logshed.lake.batch import new_batch
from logshed.lake.commit import commit_follower, commit_lines, given_back, remove_files
from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES, LOGS
from logshed.lake.writing import FileWriter
from logshed.pipeline import drift, drops, transforms
from logshed.pipeline.away import Runner
from logshed.pipeline.catchup import catch_up
from logshed.pipeline.live_sink import LiveSink
from logshed.pipeline.naming import Naming
from logshed.pipeline.outcome import FileReport, IngestReport
from logshed.pipeline.planning import GROUP_BYTES, Options, Plan, Planner, batches, bundles, groups, job_of
from logshed.pipeline.task import IngestTask, Meter
from logshed.pipeline.ticking import Ticker
from logshed.pipeline.unbroken import files_of, unbroken
from logshed.redaction.policy_files import load_policy
from logshed.sources import files, kafka_client
from logshed.sources.spool import root_of
from logshed.spool import note_done

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from logshed.engines import Bundle, Engine
    from logshed.lake.store import Store
    from logshed.pipeline.job import Job
    from logshed.pipeline.outcome import Progress
    from logshed.redaction.model import Policy
    from logshed.settings import Settings
    from logshed.sources.model import Discovered, Target
    from logshed.work import Written

log = logging.getLogger(__name__)

WHOLE = LakeError | SettingsError | EngineError | EnrichmentError
"""What stops a run, since it is no fault of a file."""
MEMORY = WorkerLostError | MemoryError
SMALLER = 8
"""Into so many pieces goes what was too large for a worker's memory, and was in hand at once."""
ROUNDS_OF_A_BATCH = 2
"""Tasks of each worker of a cluster in a batch, at least."""
ROUNDS = 20
"""How often work that another writer made stale is planned again."""


class Ingest:
    """One run of the verb.

    Args:
        store: The lake; None in a dry run without one.
        settings: Settings.
        options: What the user asked for.
        engine: Runs the work.
        progress: Is told where the run is, at most ten times a second.
        live: Brings what is committed into the hot store; None makes one.
    """

    def __init__(
        self,
        store: Store | None,
        settings: Settings,
        options: Options,
        engine: Engine,
        progress: Callable[[Progress], None] | None = None,
        live: LiveSink | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._options = options
        self._runner = Runner(engine, settings)
        buckets.use(settings.objects.access(settings.storage))
        kafka_client.use(settings.kafka.access())
        self._policy: Policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
        self._sources = sources.opened(settings.enrichment)
        drops.check(settings.drop)
        transforms.check(settings.transform)
        self._naming = Naming(self._policy, settings, options.collection, store)
        self._planner = Planner(settings, options, self._naming)
        self._live = None if store is None or options.dry_run else live or LiveSink(store, settings)
        self._meter = Meter()
        self._ticker = Ticker(self._meter, self._naming, None if engine.draws else progress)

    def run(self, paths: Sequence[str]) -> IngestReport:
        """Ingest what is new in these paths.

        Args:
            paths: Files, folders, globs, or ``-`` for standard input.

        Raises:
            LakeError: The lake cannot be written; what was committed before is whole.
            SettingsError: A drop rule or a transform does not fit.
        """
        own = [] if self._store is None else [str(self._store.root)]
        found = files.discover(paths, encoding=self._options.encoding, exclude=own, look=False)
        self._assert_in_reach(found)
        result = IngestReport([], dry_run=self._options.dry_run)
        if self._store is not None:
            result.caught_up = catch_up(self._store, self.job(""))
        self._show(result)
        self._ticker.total = sum(target.bytes for target in found.targets)
        result.files += self._refused(found)
        for group in groups(self._naming.targets(found.targets)):
            result.files += [plan.report for plan in self._group(self._looked(group, paths, result), result)]
        if self._store is not None and not self._options.dry_run:
            self._note(found.targets)
        if self._store is not None:
            drift.alarm(self._store, result.files, result.batches)
        result.seconds = self._ticker.elapsed
        return result

    def _assert_in_reach(self, found: Discovered) -> None:
        streams = [target for target in found.targets if target.is_stream]
        if self._runner.elsewhere and streams:
            raise UsageError(
                f"cannot ingest {streams[0].path} by workers elsewhere: it can be read here alone, and once; "
                "leave out --engine, or write it to a file that they reach"
            )

    def _refused(self, found: Discovered) -> list[FileReport]:
        """What is told of what is not read."""
        naming = self._naming
        failed = [FileReport(one.path, status="failed", error=one.message) for one in naming.problems(found.problems)]
        return failed + [
            FileReport(one.path, status="skipped", note=one.message) for one in naming.problems(found.skipped)
        ]

    def _looked(self, targets: list[Target], paths: Sequence[str], result: IngestReport) -> list[Target]:
        """The targets, of objects those looked into that are new: the others need not be opened."""
        if not any(target.is_object for target in targets):
            return targets
        self._planner.know(self._ledger(), targets)
        unread = self._planner.unread(targets)
        seen = files.looked(unread, paths, encoding=self._options.encoding)
        result.files += self._refused(seen)
        ready = {target.locator: target for target in seen.targets}
        gone = {target.locator for target in unread} - ready.keys()
        return [ready.get(target.locator, target) for target in targets if target.locator not in gone]

    def _show(self, result: IngestReport) -> None:
        """Bring what is committed into the hot store, too."""
        if self._live is not None:
            self._live.follow()
            result.live = self._live.problem

    def _note(self, targets: Sequence[Target]) -> None:
        """Let the writers of spools know what is in the lake by now, so that they can make room."""
        streams: dict[Path, set[str]] = {}
        for target in targets:
            if target.generation and not target.is_topic:
                streams.setdefault(root_of(target.locator), set()).add(target.generation)
        ledger = self._ledger() if streams else None
        for root, generations in streams.items():
            note_done(root, ledger.generations(generations) if ledger else {})

    def _group(self, targets: Sequence[Target], result: IngestReport) -> list[Plan]:
        """Plan, run and commit some files; what another writer made stale is done again."""
        done: dict[str, Plan] = {}
        waiting = list(targets)
        for _ in range(ROUNDS):
            expected = self._planner.know(self._ledger(), waiting)
            plans = self._planner.plan(waiting)
            done |= {plan.target.locator: plan for plan in plans}
            stale = self._run(plans, expected, result)
            if not stale:
                return list(done.values())
            log.info("another writer was quicker: %d files are planned again", len(stale))
            waiting = [plan.target for plan in plans if plan.target.locator in stale]
        raise CommitConflictError(
            f"cannot commit {waiting[0].path}: other writers keep ingesting it; run the same command again"
        )

    def _run(self, plans: list[Plan], expected: dict[tuple[str, str], int], result: IngestReport) -> set[str]:
        """Run and commit the splits of these plans, batch by batch.

        Returns:
            Locators of the files whose work is stale and was not committed.
        """
        reports = {plan.target.locator: plan.report for plan in plans}
        sizes = {plan.target.locator: plan.target.size for plan in plans}
        splits = [split for plan in plans for split in plan.splits]
        stale: set[str] = set()
        broken: set[str] = set()
        for group in batches(list(bundles(splits, sizes, self._settings.split_bytes)), sizes, self._batch_bytes):
            work = [bundle for bundle in group if not any(split.locator in stale | broken for split in bundle)]
            batch = new_batch()
            written = unbroken(self._work(work, batch, reports), work, broken)
            refused = self._commit(batch, written, expected, result)
            stale |= {piece.split.locator for bundle in refused for piece in bundle}
            for piece in (piece for bundle in written if bundle not in refused for piece in bundle):
                self._account(reports[piece.split.locator], piece)
                _advance(expected, piece)
            self._show(result)
        return stale

    def _work(
        self, work: Sequence[Bundle], batch: str, reports: dict[str, FileReport], *, small: bool = False
    ) -> list[tuple[Written, ...]]:
        """Run the bundles. Where one fails, its files are tried one by one; a file that fails stops no other.

        What was too large for a worker's memory is tried once more in small pieces.
        """
        job = self.job(batch)
        task = IngestTask(smaller(job) if small else job, self._meter)
        written: list[tuple[Written, ...]] = []
        again: list[Bundle] = []
        with self._ticker.ticking():
            for done in self._runner.run(self._written_to, task, work):
                if done.result is not None:
                    written.append(done.result)
                    self._count(done.result)
                elif isinstance(done.error, WHOLE) and not isinstance(done.error, WorkerLostError):
                    raise done.error
                elif len(done.item) > 1 or (isinstance(done.error, MEMORY) and not small):
                    again += [(split,) for split in done.item]
                elif done.error is not None:
                    self._fail(reports[done.item[0].locator], done.error, done.item[0].locator)
        alone = all(len(bundle) == 1 for bundle in work)
        return written + (self._work(again, batch, reports, small=small or alone) if again else [])

    def _count(self, bundle: tuple[Written, ...]) -> None:
        """Let the meter know what workers elsewhere have read."""
        if self._runner.elsewhere:
            for piece in bundle:
                self._meter.add(piece.split.bytes, piece.counts, piece.split.locator)

    def _commit(
        self,
        batch: str,
        written: Sequence[tuple[Written, ...]],
        expected: dict[tuple[str, str], int],
        result: IngestReport,
    ) -> list[tuple[Written, ...]]:
        """Bronze and ledger first, then silver.

        Returns:
            The bundles that another writer made stale; their files are gone.
        """
        if self._store is None or self._options.dry_run or not written:
            return []
        sources = {piece.split.source for bundle in written for piece in bundle}
        planned = {key: end for key, end in expected.items() if key[0] in sources}
        made = (file for bundle in written for file in files_of(bundle))
        with given_back(made), self_traces.span("commit", batch=batch):
            refused = commit_lines(self._store, batch, written, planned)
        remove_files(file for bundle in refused for file in files_of(bundle))
        taken = [file for bundle in written if bundle not in refused for file in files_of(bundle)]
        if len(refused) < len(written):
            result.batches.append(batch)
            logs = [file for file in taken if file.table == LOGS.name]
            with given_back(logs):
                done = commit_follower(self._store, LOGS.short, batch, logs)
            if not done:
                remove_files(logs)
        return refused

    def _account(self, report: FileReport, piece: Written) -> None:
        report.status = "ingested"
        report.counts += piece.counts
        report.bytes += piece.split.bytes
        report.first_timestamp = min(filter(None, (report.first_timestamp, piece.first_timestamp)), default="")
        report.last_timestamp = max(report.last_timestamp, piece.last_timestamp)
        report.reject_samples = [*report.reject_samples, *piece.reject_samples][: drift.SAMPLES]
        if piece.problem:
            report.error = self._naming.told(piece.problem, piece.split.locator)

    def _fail(self, report: FileReport, error: Exception, locator: str) -> None:
        report.status = "failed"
        if isinstance(error, LogshedError):
            report.error = self._naming.told(str(error), locator)
            return
        trace = "".join(traceback.format_exception(error))
        log.info("%s failed: %s", report.path, self._naming.told(trace, locator))
        told = f"cannot ingest {report.path}: {type(error).__name__}: {error}; run with --log-level debug"
        report.error = self._naming.told(told, locator)

    def job(self, batch: str) -> Job:
        """What every worker of a batch needs to know; databases and lists that have changed are opened anew."""
        self._sources = sources.refreshed(self._sources)
        found = job_of(self._settings, self._options, self._policy, self._sources, batch)
        if self._store is None or self._options.dry_run:
            return found
        lines, logs = (FileWriter.of(table, self._store.to_write(table)) for table in (LINES, LOGS))
        return replace(found, lines=lines, logs=replace(logs, notes=self._sources.notes))

    @property
    def _written_to(self) -> Store | None:
        return None if self._options.dry_run else self._store

    @cached_property
    def _batch_bytes(self) -> int:
        """Bytes of one batch: a cluster gets enough for all of its workers, since a commit waits for the last."""
        at_once = self._runner.engine.slots() * self._settings.split_bytes if self._runner.elsewhere else 0
        return max(GROUP_BYTES, at_once * ROUNDS_OF_A_BATCH)

    def _ledger(self) -> Ledger | None:
        return None if self._store is None else Ledger.of(self._store.table(LINES))


def smaller(job: Job) -> Job:
    """The same work with less in hand at a time."""
    return replace(job, chunk_bytes=job.chunk_bytes // SMALLER, part_bytes=job.part_bytes // SMALLER)


def _advance(expected: dict[tuple[str, str], int], piece: Written) -> None:
    key = (piece.split.source, piece.split.generation)
    expected[key] = max(expected.get(key, 0), piece.split.end)
