"""The verb that ingests and goes on: local files as they grow and rotate, topics, in small batches, exactly once."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from logshed.errors import StorageError
from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES
from logshed.pipeline.ingest import Ingest
from logshed.pipeline.naming import Naming
from logshed.pipeline.planning import Planner
from logshed.pipeline.standing import Standing
from logshed.pipeline.standings import of_follower
from logshed.pipeline.typed import safe
from logshed.redaction.policy_files import load_policy
from logshed.sources import files
from logshed.sources.watching import Waiter, Watch
from logshed.work import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from logshed.engines import Engine
    from logshed.lake.store import Store
    from logshed.pipeline.outcome import IngestReport
    from logshed.pipeline.planning import Options
    from logshed.settings import Settings

EVERY_S = 1.0
"""Least time from the beginning of one batch to the next, unless another is given; each batch is files of its own."""
LOOK_S = 5.0
"""Longest time without a look at the files: new folders of a glob and network file systems tell nothing."""
SHARE = 0.5
"""Share of the time that batches may take: where they are slow, as in a lake of many files, they come less often."""
OPEN_S = 1.0
"""How long the last record of a file stays open for a line that may belong to it."""
TRIES = 3
"""How often a file that rotation has just moved is tried again before it is told as failed."""


@dataclass(slots=True)
class FollowReport:
    """What a following came to so far.

    Attributes:
        counts: The fates of the lines.
        bytes: Bytes read.
        batches: Batches committed.
        files: Files that are followed.
        sources: Sources that lines came from.
        failed: Paths that cannot be read now, and why.
        seconds: How long it has run.
        rate: Lines a second, lately.
        took: Seconds that the last batch took.
        lost: What was gone before it could be read, by source.
        drift: Alarms where far fewer lines parse than is usual, by source.
        live: Why what was committed is not in the hot store yet, or empty.
        waiting: Why nothing comes into the lake now, or empty: it goes on once the lake answers again.
    """

    counts: Counts = field(default_factory=Counts)
    bytes: int = 0
    batches: int = 0
    files: int = 0
    sources: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    rate: float = 0.0
    took: float = 0.0
    lost: dict[str, str] = field(default_factory=dict)
    drift: dict[str, str] = field(default_factory=dict)
    live: str = ""
    waiting: str = ""

    def take(self, report: IngestReport) -> None:
        """Add what a batch came to."""
        self.batches += len(report.batches)
        self.live = report.live
        for one in report.files:
            self.counts += one.counts
            self.bytes += one.bytes
            if one.counts.read:
                self.sources.add(one.source)
            if one.lost:
                self.lost[one.source] = one.lost
            if one.drift:
                self.drift[one.source] = one.drift

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "files": self.files,
            "sources": sorted(self.sources),
            "lines": self.counts.read,
            "stored": self.counts.stored,
            "rejected": self.counts.rejected,
            "dropped": self.counts.dropped,
            "redacted": self.counts.redacted,
            "bytes": self.bytes,
            "batches": self.batches,
            "seconds": round(self.seconds, 3),
            "failed": self.failed,
            "lost": self.lost,
            "drift": self.drift,
            "live": self.live,
            "waiting": self.waiting,
        }


class Follow:
    """One run of the verb.

    Args:
        store: The lake.
        settings: Settings.
        options: As of an ingest.
        engine: Runs the work.
        progress: Is told how it stands after each look at the files.
        every: Least seconds from the beginning of one batch to the next.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        options: Options,
        engine: Engine,
        progress: Callable[[FollowReport], None] | None = None,
        *,
        every: float = EVERY_S,
    ) -> None:
        self.report = FollowReport()
        self._every = every
        self._store = store
        self._settings = settings
        self._options = replace(options, open_s=OPEN_S)
        self._ingest = Ingest(store, settings, self._options, engine)
        self._waits = False
        self._progress = progress
        self._tries: Counter[str] = Counter()
        self._standing = Standing(store.root, "ingest --follow", safe(settings), name=f"follow-{os.getpid()}")

    def run(self, paths: Sequence[str], stop: Event) -> FollowReport:
        """Ingest what is there and what comes, until ``stop`` is set; the batch at hand is finished.

        Args:
            paths: Files, folders, globs and addresses of topics; what is not there yet is taken when it comes.
            stop: Ends it.

        Raises:
            LakeError: The lake cannot be written; what was committed before is whole. Where its storage or catalog
                does not answer, and may again, it is waited for.
        """
        try:
            return self._followed(paths, stop)
        finally:
            self._standing.end()

    def _followed(self, paths: Sequence[str], stop: Event) -> FollowReport:
        begun = time.monotonic()
        watch, waiter = Watch(paths, exclude=[str(self._store.root)]), Waiter()
        of_follower(self._standing, self.report)  # the first round may take long
        watch.take_up(self._missed(watch.earlier()))
        while True:
            started, before = time.monotonic(), self.report.counts.read
            self._round(watch)
            now = time.monotonic()
            self.report.seconds = now - begun
            self.report.took = now - started
            least = max(self._every, (now - started) / SHARE)
            again = watch.is_settling or self._tries or self._waits or self.report.waiting
            waiting = SHARE if again else LOOK_S
            stopped = stop.wait(max(0.0, started + least - now))
            self.report.rate = (self.report.counts.read - before) / (time.monotonic() - started)
            self._tell()
            if not stopped:
                waiter.wait(watch.folders, waiting, stop)
            if stop.is_set():
                return self.report

    def _round(self, watch: Watch) -> None:
        """Ingest what has changed."""
        changed = watch.changed()
        self.report.files = watch.files
        self._waits = False
        if not changed:
            return
        try:
            done = self._ingest.run(changed)
        except StorageError as error:
            if not error.passing:
                raise
            self.report.waiting = str(error)
            watch.again(changed)
            return
        self.report.waiting = ""
        self.report.take(done)
        opened = [one.path for one in done.files if one.waits]
        self._waits = bool(opened)
        watch.again(opened)
        if self._fails(done):
            watch.again(changed)

    def _fails(self, done: IngestReport) -> bool:
        """Whether anything is to be tried again, as what rotation has just moved is; what fails on and on is told."""
        again = False
        for path in [path for path in self.report.failed if not os.path.lexists(path)]:
            del self.report.failed[path]
        for one in done.files:
            if one.status != "failed" and not one.error:
                self._tries.pop(one.path, None)
                self.report.failed.pop(one.path, None)
                continue
            self._tries[one.path] += 1
            if one.source and self._tries[one.path] < TRIES:
                again = True
            else:
                self.report.failed[one.path] = one.error
                del self._tries[one.path]
        return again

    def _missed(self, logs: Sequence[Sequence[str]]) -> list[str]:
        """What was rotated away while nothing followed it.

        Args:
            logs: Files that are one log over time, the oldest first.

        Returns:
            Those that the lake has the beginning of, and not the end, and those that came after the last that it knows.
        """
        paths = [path for log in logs for path in log]
        found = files.discover(paths, encoding=self._options.encoding).targets if paths else []
        if not found:
            return []
        policy = load_policy(self._settings.policy, self._settings.plugins, keys=self._settings.keys)
        naming = Naming(policy, self._settings, self._options.collection, self._store)
        planner = Planner(self._settings, self._options, naming)
        named = dict(zip([target.path for target in found], naming.targets(found), strict=True))
        planner.know(Ledger.of(self._store.table(LINES)), named.values())
        missed: list[str] = []
        for log in logs:
            left = {path: planner.left(named[path]) for path in log if path in named}
            known = [number for number, path in enumerate(left) if left[path] is not None]
            last = known[-1] if known else len(left)
            missed += [path for number, path in enumerate(left) if left[path] or number > last]
        return missed

    def _tell(self) -> None:
        of_follower(self._standing, self.report)
        if self._progress is not None:
            self._progress(self.report)
