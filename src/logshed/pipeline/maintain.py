"""The verb that keeps a lake quick and small: compaction, merged manifests, expiry, removal of what nothing names."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from logshed.errors import LakeError, UsageError, gone
from logshed.lake import expiring, named
from logshed.lake.batch import COMMIT_WITHIN_MS
from logshed.lake.compact_plan import Sizes, groups
from logshed.lake.compacting import Compaction, put_in_place
from logshed.lake.names import GOLD, TABLES
from logshed.lake.scan import iceberg_files
from logshed.pipeline.away import Runner
from logshed.pipeline.retaining import retain, why
from logshed.pipeline.trail import noted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.lake.expiring import Removed
    from logshed.lake.store import Store
    from logshed.settings import Settings

LEDGER = "ledger"
"""What the ledger's folder is called among the tables."""
TASKS = ("retain", "compact", "rewrite-manifests", "expire", "orphans")
"""In the order in which one makes the next one worth its while."""
DAY_S = 24 * 3600.0


@dataclass(slots=True)
class Upkeep:
    """What a task did to a table.

    Attributes:
        task: The task.
        table: The table's short name.
        files: Files that were replaced or removed; of ``rewrite-manifests`` the manifests that there were.
        bytes: Their bytes; 0 of manifests.
        made: Files that are in their place; 0 where they were removed.
        made_bytes: Their bytes.
        commits: Commits of compaction.
        beaten: Groups of files that another writer changed meanwhile: the next run takes them.
        snapshots: Snapshots that were expired.
        kept: Files without a name that stay for now, since they are too young.
        rows: Rows that were kept long enough and are gone.
        setting: The setting by which they are, and whether it is the default.
        first: Whether no row of the table went by its age before.
        seconds: How long it took.
        error: Why it could not be done.
    """

    task: str
    table: str
    files: int = 0
    bytes: int = 0
    made: int = 0
    made_bytes: int = 0
    commits: int = 0
    beaten: int = 0
    snapshots: int = 0
    kept: int = 0
    rows: int = 0
    setting: str = ""
    first: bool = False
    seconds: float = 0.0
    error: str = ""

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.files or self.snapshots or self.beaten or self.error)

    def take(self, removed: Removed) -> None:
        """What was removed."""
        self.files, self.bytes = removed.files, removed.bytes
        self.snapshots, self.kept = removed.snapshots, removed.kept

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


@dataclass(slots=True)
class Maintain:
    """One run of the verb.

    Args:
        store: The lake.
        settings: Settings.
        tasks: Some of ``TASKS``; none takes all.
        tables: Short names of tables, or ``ledger``; none takes all.
        grace_s: How long files stay that nothing names, and snapshots that another followed, in seconds.
        dry: Only say what would be done.
        alone: Nothing else uses the lake, so that a shorter grace period harms nobody.
        progress: Is told what is begun.
        sizes: How large compaction makes files.
        runner: Runs compaction's tasks; None does them here, one after another.

    Raises:
        UsageError: There is no such task or table, or the grace period is too short.
    """

    store: Store
    settings: Settings
    tasks: Sequence[str] = ()
    tables: Sequence[str] = ()
    grace_s: float = DAY_S
    dry: bool = False
    alone: bool = False
    progress: Callable[[str], None] | None = None
    sizes: Sizes = field(default_factory=Sizes)
    runner: Runner | None = None
    report: list[Upkeep] = field(default_factory=list)

    def run(self) -> list[Upkeep]:
        """Do the tasks; a table that fails is told and stops no other.

        Raises:
            LakeError: The lake cannot be read.
        """
        tasks = self._checked()
        names = self._names()
        outcome = "failed"
        try:
            for task in tasks:
                for short, name in names.items():
                    if short != LEDGER or task == "orphans":
                        self._done(task, short, name)
            outcome = "failed" if any(one.error for one in self.report) else "ok"
        finally:
            if not self.dry:
                self._note(tasks, outcome)
        return self.report

    def _checked(self) -> list[str]:
        unknown = [task for task in self.tasks if task not in TASKS]
        if unknown:
            raise UsageError(f"cannot do {unknown[0]}: there is no such task; take {', '.join(TASKS)} or all")
        tasks = [task for task in TASKS if not self.tasks or task in self.tasks]
        if self.grace_s < 0:
            raise UsageError("cannot take that grace period: it lies ahead; give a span such as 24h or 7d")
        if "orphans" in tasks and self.grace_s * 1000 < COMMIT_WITHIN_MS and not (self.alone or self.dry):
            raise UsageError(
                "cannot remove orphans that are so young: a running writer commits files of up to 12 hours; "
                "give --grace 12h or more, or --alone if nothing else uses this lake"
            )
        return tasks

    def _names(self) -> dict[str, str]:
        """Full names of the tables by their short ones."""
        every = {one.name: short for short, one in TABLES.items()}
        there = {every.get(name, name.removeprefix(f"{GOLD}.")): name for name in named.tables(self.store)}
        known = {**dict.fromkeys(TABLES, ""), **there, LEDGER: ""}
        unknown = [name for name in self.tables if name not in known]
        if unknown:
            raise UsageError(f"cannot maintain {unknown[0]}: there is no such table; take {', '.join(known)}")
        chosen = {**there, LEDGER: ""}
        return {short: name for short, name in chosen.items() if not self.tables or short in self.tables}

    def _done(self, task: str, short: str, name: str) -> None:
        if self.progress is not None:
            self.progress(f"{task} {short}")
        done = Upkeep(task, short)
        self.report.append(done)
        begun = time.monotonic()
        try:
            match task:
                case "retain":
                    self._retain(done, name)
                case "compact":
                    self._compact(done)
                case "rewrite-manifests":
                    done.files, done.made = expiring.merge_manifests(self.store, name, dry=self.dry)
                    done.files = 0 if done.files == done.made else done.files
                case "expire":
                    done.take(expiring.expire(self.store, name, self.grace_s, dry=self.dry))
                case _ if short == LEDGER:
                    done.take(expiring.ledger_orphans(self.store, self.grace_s, dry=self.dry))
                case _:
                    done.take(expiring.orphans(self.store, name, self.grace_s, dry=self.dry))
        except LakeError as error:
            done.error = str(error)
        except FileNotFoundError as error:
            done.error = gone(error)
        done.seconds = round(time.monotonic() - begun, 3)

    def _retain(self, done: Upkeep, name: str) -> None:
        setting, first = why(self.store, name, self.settings.retain)
        gone = retain(self.store, name, self.settings.retain, dry=self.dry)
        done.rows, done.files, done.bytes = gone.rows, gone.files, gone.bytes
        done.made, done.made_bytes = gone.files - gone.dropped, gone.made_bytes
        done.setting, done.first = (setting, first) if gone.rows else ("", False)

    def _compact(self, done: Upkeep) -> None:
        """Gold tables are left: a day of theirs is one file, which is how it is put in place."""
        table = TABLES.get(done.table)
        if table is None:
            return
        loaded = self.store.table(table)
        due = groups(loaded, iceberg_files(loaded), table.partition_column, self.sizes)
        if self.dry or not due:
            done.files, done.bytes = sum(len(group.files) for group in due), sum(group.bytes for group in due)
            return
        task = Compaction.of(self.store, table, self.sizes)
        runner = self.runner or Runner.here(self.settings)
        for number, one in enumerate(runner.run(self.store, task, due), start=1):
            if one.error is not None:
                raise one.error
            group, made = one.item, put_in_place(self.store, table, one.item, one.result or ())
            if self.progress is not None:
                self.progress(f"compact {done.table}: {number} of {len(due)}, {len(group.files):,} files")
            if not made.files:
                done.beaten += 1
                continue
            done.commits += 1
            done.files, done.bytes = done.files + len(group.files), done.bytes + group.bytes
            done.made, done.made_bytes = done.made + made.files, done.made_bytes + made.bytes
        if done.commits:  # or who asks reads the names of all that was replaced, until the next ingest
            expiring.merge_manifests(self.store, table.name, dry=False)

    def _note(self, tasks: Sequence[str], outcome: str) -> None:
        told = [one.as_dict() for one in self.report if not one.idle]
        details = {"grace_s": round(self.grace_s), "did": told}
        noted(self.store, self.settings, "maintain", " ".join(tasks), outcome, details)
