"""Plans an ingest: which files, which of their bytes, read with which format, in which bundles."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import SourceError
from logshed.formats import adhoc, detect, multiline, registry
from logshed.formats.choice import Choice
from logshed.pipeline.job import Job
from logshed.pipeline.outcome import FileReport
from logshed.pipeline.together import joiner_of
from logshed.sources import files
from logshed.work import UNTIL_EOF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from logshed.enrichment.sources import Sources
    from logshed.lake.ledger import Ledger
    from logshed.pipeline.naming import Naming
    from logshed.redaction.model import Policy
    from logshed.settings import Settings
    from logshed.sources.model import Identity, Target
    from logshed.work import Checkpoint, Split

AUTO = "auto"
GROUP_BYTES = 2**30
"""Bytes of one batch: what a crash may have to do again."""

GROUP_FILES = 1000
OPEN_BYTES = 64 * 1024
"""A record that is longer is not waited for."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked of an ingest.

    Attributes:
        format: ``auto`` or a format choice.
        collection: Collection of the records.
        service: ``service.name`` of the records, or None.
        final: Take a last line that has no line feed yet.
        encoding: Text encoding, or ``auto``.
        timezone: Zone of timestamps that name none.
        dry_run: Write nothing.
        open_s: How long the last record of a file stays open for a line that may belong to it; 0 takes it at once.
    """

    format: str = AUTO
    collection: str = "default"
    service: str | None = None
    final: bool = False
    encoding: str = AUTO
    timezone: str | None = None
    dry_run: bool = False
    open_s: float = 0.0


@dataclass(slots=True)
class Plan:
    """What is to be read of one file.

    Attributes:
        target: The file.
        report: What will be told of it.
        splits: Its splits; empty where there is nothing new.
    """

    target: Target
    report: FileReport
    splits: list[Split] = field(default_factory=list)


class Planner:
    """Plans file after file against one state of the ledger.

    Args:
        settings: Sizes and plug-in folders.
        options: What the user asked for.
        naming: Names the sources; targets have its names already.
    """

    def __init__(self, settings: Settings, options: Options, naming: Naming) -> None:
        self._settings = settings
        self._naming = naming
        self._options = options
        self._formats = registry.load(settings.plugins)
        self._known: list[Checkpoint] = []
        self._pinned = "" if options.format == AUTO else str(self._checked(options.format))

    def _checked(self, text: str) -> Choice:
        return registry.check(Choice.parse(text), self._formats)

    def know(self, ledger: Ledger | None, targets: Iterable[Target]) -> dict[tuple[str, str], int]:
        """Take the ledger's checkpoints of all that these files may go on with.

        Returns:
            The ledger's ends by source and generation, against which the commit checks for other writers.
        """
        if ledger is None:
            self._known = []
            return {}
        targets = list(targets)
        known = ledger.checkpoints(
            folders=self._naming.folders(targets),
            inodes={target.inode for target in targets},
            sources=self._naming.names(targets),
            heads=[target.head for target in targets],
        )
        self._known = self._naming.checkpoints(known)
        return {(one.source, one.generation): one.end for one in known}

    def plan(self, targets: Sequence[Target]) -> list[Plan]:
        """What is new in these files; problems are told in the plans' reports."""
        plans = []
        for target, identity in files.identify_all(targets, self._known):
            collection = target.collection or self._options.collection
            note = identity.note or target.note
            plan = Plan(target, FileReport(target.path, identity.source, collection, note=note))
            plan.report.lost = self._naming.told(identity.lost, target.locator) if identity.lost else ""
            try:
                self._naming.check(target)
                self._fill(plan, identity)
            except SourceError as error:
                plan.report.status, plan.report.error = "failed", self._naming.told(str(error), target.locator)
            plans.append(plan)
        return plans

    def unread(self, targets: Sequence[Target]) -> list[Target]:
        """The objects among these of which the lake has not all, by their etags alone."""
        found = files.identify_all([target for target in targets if target.is_object], self._known)
        return [target for target, identity in found if not identity.exhausted]

    def left(self, target: Target) -> bool | None:
        """Whether a file has more than the lake; None where the lake has nothing of it."""
        identity = files.identify(target, self._known)
        return not identity.exhausted if identity.start > 0 else None

    def _fill(self, plan: Plan, identity: Identity) -> None:
        if identity.problem:
            raise SourceError(identity.problem)
        if identity.copy_of or not self._planned(plan.target, identity, "", splittable=False):
            return
        gave_way = self._gave_way(identity)
        detected = gave_way or self._given(plan.target) or self._detected(plan.target, plan.report)
        plan.report.format = self._gone_on(identity, detected)
        splittable = multiline.splittable(Choice.parse(plan.report.format))
        splits = self._planned(plan.target, identity, plan.report.format, splittable=splittable)
        plan.splits = [replace(splits[0], follows=True), *splits[1:]] if gave_way else splits
        if plan.target.is_seekable and 0 <= time.time() - plan.target.mtime < self._options.open_s:
            self._wait(plan)

    def _given(self, target: Target) -> str:
        """The format that was named, or that its source knows, or empty; what is named is of what an envelope holds."""
        choice = Choice.parse(self._pinned)
        if self._pinned and target.envelope and target.envelope not in choice.envelopes:
            return str(Choice((target.envelope, *choice.envelopes), choice.formats))
        return self._pinned or target.format

    def _wait(self, plan: Plan) -> None:
        """Leave the record that is still open at the end of a file that has just changed for later."""
        last = plan.splits[-1]
        begin = max(last.start, last.end - OPEN_BYTES)
        near = replace(last, start=begin, follows=last.follows or begin > last.start)
        with files.read(near, max_line_bytes=self._settings.max_line_bytes) as reading:
            joiner = joiner_of(reading, near, self._formats)
            for lines in reading:
                joiner.push(lines.filter(pl.col("offset") < near.end))
        opened = joiner.open_from
        if opened is None or (opened == begin and begin > last.start):
            return
        plan.report.waits = True
        whole = replace(last, end=opened)
        plan.splits = [*plan.splits[:-1], *([whole] if opened > last.start else [])]

    def _gave_way(self, identity: Identity) -> str:
        """The format with which to go on where an ended run left off between two splits, or empty."""
        for known in self._known:
            if (known.source, known.generation) == (identity.source, identity.generation) and known.continues:
                return known.format
        return ""

    def _gone_on(self, identity: Identity, chosen: str) -> str:
        """The chosen formats as they were when the source was last read: with the header then in force."""
        for known in self._known:
            same = (known.source, known.generation, known.end) == (identity.source, identity.generation, identity.start)
            if same and without_headers(known.format) == without_headers(chosen):
                return known.format
        return chosen

    def _detected(self, target: Target, report: FileReport) -> str:
        sample = files.sample(target)
        if sample.is_empty():
            return ""
        found = detect.detect(sample, formats=self._formats)
        report.why, report.share = found.why, found.share
        return str(found.choice)

    def _planned(self, target: Target, identity: Identity, format_text: str, *, splittable: bool) -> list[Split]:
        return files.plan(
            target,
            identity,
            format=format_text,
            splittable=splittable,
            split_bytes=self._settings.split_bytes,
            resource=self._naming.resource(target, self._options.service),
            final=self._options.final,
        )


def without_headers(choice: str) -> tuple[str, ...]:
    """The formats of a choice, those with a header by their names alone; the user's own are their definitions."""
    kinds = [name.partition(":")[0] for name in Choice.parse(choice).names]
    return tuple(
        name if kind in adhoc.KINDS else kind for name, kind in zip(Choice.parse(choice).names, kinds, strict=True)
    )


def job_of(settings: Settings, options: Options, policy: Policy, sources: Sources, batch: str = "") -> Job:
    """What every worker of a batch needs to know; it writes nothing until it is given writers."""
    return Job(
        batch=batch,
        collection=options.collection,
        observed=datetime.now(UTC),
        policy=policy,
        drops=settings.drop,
        transforms=settings.transform,
        networks=settings.internal_networks,
        sources=sources,
        timezone=options.timezone or settings.timezone,
        chunk_bytes=settings.batch_bytes,
        part_bytes=settings.split_bytes,
        max_line_bytes=settings.max_line_bytes,
        plugins=settings.plugins,
        lines=None,
        logs=None,
    )


def groups(targets: Sequence[Target]) -> Iterator[list[Target]]:
    """Files that are planned against one state of the ledger."""
    for start in range(0, len(targets), GROUP_FILES):
        yield list(targets[start : start + GROUP_FILES])


def bundles(splits: Sequence[Split], sizes: dict[str, int], most: int) -> Iterator[tuple[Split, ...]]:
    """Put splits together until they have ``most`` bytes, in order."""
    bundle: list[Split] = []
    total = 0
    for split in splits:
        size = split_size(split, sizes)
        if bundle and total + size > most:
            yield tuple(bundle)
            bundle, total = [], 0
        bundle.append(split)
        total += size
    if bundle:
        yield tuple(bundle)


def batches(work: Sequence[tuple[Split, ...]], sizes: dict[str, int], most: int) -> Iterator[list[tuple[Split, ...]]]:
    """Bundles that are committed together: as many as have ``most`` bytes."""
    group: list[tuple[Split, ...]] = []
    total = 0
    for bundle in work:
        group.append(bundle)
        total += sum(split_size(split, sizes) for split in bundle)
        if total >= most:
            yield group
            group, total = [], 0
    if group:
        yield group


def split_size(split: Split, sizes: dict[str, int]) -> int:
    """Bytes of a split; of one without a known end, the bytes of its file on disk.

    Args:
        split: The split.
        sizes: Bytes of each file by its locator.
    """
    end = sizes.get(split.locator, 0) if split.end == UNTIL_EOF else split.end
    return max(end - split.start, 0) * split.unit
