"""The verb that erases what a lake holds of a person: every row, every old file, and a receipt that it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import LakeError
from logshed.lake import expiring, named, storage
from logshed.lake.finding import range_of
from logshed.lake.held import held
from logshed.lake.names import LINES, LOGS
from logshed.lake.steps import step
from logshed.lake.writing import digest
from logshed.live.hot import HotStore
from logshed.pipeline import decisions, erase_journal, erase_receipt
from logshed.pipeline.aggregate import Aggregate
from logshed.pipeline.erase_check import Check, Checked
from logshed.pipeline.erase_journal import Journal
from logshed.pipeline.erase_tables import (
    mentions,
    of_gold,
    of_records,
    of_security,
    records,
    tables_of,
    take,
    texts,
    would,
)
from logshed.pipeline.trail import noted

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.lake.rewriting import Rewriting
    from logshed.lake.store import Store
    from logshed.pipeline.erase_subject import Subject
    from logshed.settings import Settings

ROUNDS = 5
"""How often it is looked again because other processes keep writing what is to be erased."""


@dataclass(slots=True)
class Erased:
    """What came of it.

    Attributes:
        dry: Whether nothing was changed.
        subject: What stands for what was erased: a keyed hash.
        rows: Rows that went, or would, by table.
        files: Files of tables that held them.
        dropped: Those of them of which no row stayed.
        bytes: Their bytes.
        days: Days whose gold rows were computed anew.
        hot: Lines taken out of the hot store.
        decisions: Decisions that were taken back.
        snapshots: States of tables that were forgotten.
        removed: Files that were removed.
        checked: Files that were read in the end.
        left: Files that could not be cleaned, and why.
        mentions: Rows that stay and in whose texts the plain value is a word, perhaps somebody else's.
        unkeyed: Why no pseudonyms were looked for.
        unfinished: When erasures of others were begun that were not finished.
        receipt: The receipt's file.
    """

    dry: bool
    subject: str
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    dropped: int = 0
    bytes: int = 0
    days: int = 0
    hot: int = 0
    decisions: int = 0
    snapshots: int = 0
    removed: int = 0
    checked: int = 0
    left: dict[str, str] = field(default_factory=dict)
    mentions: int = 0
    unkeyed: str = ""
    unfinished: list[str] = field(default_factory=list)
    receipt: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing holds it any more."""
        return not self.left

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"ok": self.ok, **asdict(self)}


@dataclass(slots=True)
class Erase:
    """One run of the verb.

    Args:
        store: The lake.
        settings: Settings.
        subject: What to erase.
        alone: Nothing else uses the lake.
        progress: Is told what is begun.
    """

    store: Store
    settings: Settings
    subject: Subject
    alone: bool = False
    progress: Callable[[str], None] | None = None
    _made: dict[str, str] = field(default_factory=dict)

    def look(self) -> Erased:
        """Say what would be erased; nothing is changed.

        Raises:
            LakeError: The lake cannot be read.
        """
        done = self._begun(dry=True)
        wanted, days = records(self.store, self.subject)
        tell = range_of(wanted)
        hits = {LINES.name: of_records(wanted), LOGS.name: of_records(wanted)} if len(wanted) else {}
        for name, hit in hits.items():
            self._add(done, name, would(self.store, name, hit, tell))
        for name, hit in (of_security(self.store, self.subject) | of_gold(self.store, self.subject)).items():
            self._add(done, name, would(self.store, name, hit))
        done.days = len(days)
        done.mentions = 0 if self.subject.words else mentions(self.store, self.subject, wanted)
        return done

    def run(self) -> Erased:
        """Erase it; a run that was ended goes on with the next one for the same value. Another run is waited for.

        Raises:
            LakeError: The lake cannot be read or written.
            LiveError: The hot store cannot be reached.
        """
        with held(self.store.root / erase_journal.FOLDER):  # two for one value would share what is left to do
            return self._run(self._begun(dry=False))

    def _run(self, done: Erased) -> Erased:
        journal = Journal.of(self.store.root, done.subject)
        outcome = "failed"
        noted(
            self.store, self.settings, "erase", done.subject, details={"state": "begun", "column": self.subject.column}
        )
        try:
            checked = self._erased(done, journal)
            done.rows = dict(journal.rows)
            done.left, done.checked = checked.left, checked.files
            done.mentions = 0 if self.subject.words else mentions(self.store, self.subject, journal.records)
            self._receipt(done, journal, checked)
            outcome = "ok" if done.ok else "failed"
        finally:
            told = {name: value for name, value in done.as_dict().items() if name not in ("subject", "left", "unkeyed")}
            noted(self.store, self.settings, "erase", done.subject, outcome, {**told, "left": len(done.left)})
        if done.ok:
            journal.end()
        return done

    def _begun(self, *, dry: bool) -> Erased:
        name = self.subject.name(self.store.secret())
        unfinished = erase_journal.unfinished(self.store.root, name)
        return Erased(dry, name, unkeyed=self.subject.unkeyed, unfinished=unfinished)

    def _erased(self, done: Erased, journal: Journal) -> Checked:
        """Everything there is; again where others wrote some meanwhile."""
        checked = Checked()
        for turn in range(ROUNDS):
            self._records(done, journal)
            self._security(done, journal)
            self._gold(done, journal)
            done.decisions += self._decisions()
            if journal.old or journal.resumed or checked.held:
                self._forget(done, journal)
            self._tell("check")
            look = Check(self.store, self.subject, journal.records, alone=self.alone)
            checked = look.run(self.settings.spool)
            if not checked.current and not (checked.held and not turn):
                return checked
        why = "other processes keep writing it; stop what writes it, and run the same again"
        checked.left |= dict.fromkeys(checked.current, why)
        return checked

    def _records(self, done: Erased, journal: Journal) -> None:
        """Out of the hot store, ``lines`` and ``logs``, until none is found that came meanwhile."""
        for _ in range(ROUNDS):
            self._tell("find records")
            wanted, days = records(self.store, self.subject)
            journal.add(wanted, days)
            step("after erase journal")
            if journal.records.is_empty():
                self._hot(done, journal)
                return
            self._hot(done, journal)
            gone = 0
            for name in (LINES.name, LOGS.name):
                self._tell(f"rewrite {name}")
                hit, tell = of_records(journal.records), range_of(journal.records)
                gone += self._add(done, name, take(self.store, name, hit, journal, tell))
                step(f"after erase of {name}")
            if not gone:
                return

    def _security(self, done: Erased, journal: Journal) -> None:
        for name, hit in of_security(self.store, self.subject).items():
            self._tell(f"rewrite {name}")
            self._add(done, name, take(self.store, name, hit, journal))
        step("after erase of findings")

    def _gold(self, done: Erased, journal: Journal) -> None:
        """Days from which records went are computed anew; what names it still, of days whose records are gone, goes."""
        if journal.days:
            self._tell("compute gold tables")
            for one in (again := Aggregate(self.store, self.settings).again(journal.days)):
                if one.error:
                    raise LakeError(one.error)
            done.days = len(journal.days) if again else 0
        for name, hit in of_gold(self.store, self.subject).items():
            self._add(done, name, take(self.store, name, hit, journal))
        step("after erase of gold")

    def _hot(self, done: Erased, journal: Journal) -> None:
        if not self.settings.live.enabled:
            return
        self._tell("hot store")
        own = (
            texts(self.store, journal.records)
            if len(journal.records)
            else pl.DataFrame(schema={"collection": pl.String, "text": pl.String})
        )
        known = {name: set(part["text"]) for (name,), part in own.group_by("collection")}
        hot = HotStore.open(self.settings.live)
        try:
            done.hot += hot.remove(
                lambda collection, lines: (
                    self.subject.in_texts(lines)
                    | pl.Series([line in known.get(collection, ()) for line in lines], dtype=pl.Boolean)
                ).to_list()
            )
        finally:
            hot.close()
        step("after erase of hot store")

    def _decisions(self) -> int:
        known = decisions.read(self.store.root)
        held = [one for one in known if one.address in self.subject.values or self.subject.in_texts([one.reason]).any()]
        return sum(decisions.delete(self.store.root, one.address) for one in held)

    def _forget(self, done: Erased, journal: Journal) -> None:
        """Older states of the tables that held it, and every file that only they name."""
        for name in tables_of(named.tables(self.store)):
            self._tell(f"expire {name}")
            expiring.merge_manifests(self.store, name, dry=False)
            journal.add(erase_journal.NOTHING, old=expiring.expirable(self.store, name))
            removed = expiring.expire(self.store, name, 0, dry=False)
            done.snapshots += removed.snapshots
            done.removed += removed.files
        now = set().union(*(named.files_named(table) for table in named.tables(self.store).values()))
        for one in storage.found(sorted(journal.old - now)):  # what a run that was ended forgot, and did not remove
            storage.remove(one.path)
            done.removed += 1
        step("after erase of snapshots")

    def _receipt(self, done: Erased, journal: Journal, checked: Checked) -> None:
        told = {
            "lake": str(self.store.table(LINES).metadata.table_uuid),
            "begun": journal.begun,
            "subject": {"column": self.subject.column, "hash": done.subject, "keys": list(self.subject.keys)},
            "clean": done.ok,
            "rows": done.rows,
            "gold_days": done.days,
            "hot_store_lines": done.hot,
            "decisions": done.decisions,
            "files_removed": sorted(journal.old),
            "files_written": dict(sorted(self._made.items())),
            "checked": {"files": checked.files, "bytes": checked.bytes},
            "left": done.left,
            "mentions_left": done.mentions,
        }
        step("before erase receipt")
        done.receipt = str(erase_receipt.write(self.store, self.settings, done.subject, told).path)
        step("after erase receipt")

    def _add(self, done: Erased, name: str, one: Rewriting) -> int:
        if one.rows:
            done.rows[name] = done.rows.get(name, 0) + one.rows
        done.files, done.dropped, done.bytes = (
            done.files + one.files,
            done.dropped + one.dropped,
            done.bytes + one.bytes,
        )
        self._made |= {path: digest(path) for path in one.new}
        return one.rows

    def _tell(self, text: str) -> None:
        if self.progress is not None:
            self.progress(text)
