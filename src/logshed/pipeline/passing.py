"""Reads files the way an ingest does, redaction first, and keeps nothing: for the verbs that need no lake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from logshed import buckets
from logshed.enrichment import sources
from logshed.errors import SourceError
from logshed.formats import registry
from logshed.pipeline import drops, transforms
from logshed.pipeline.naming import Naming
from logshed.pipeline.planning import Planner, job_of
from logshed.pipeline.stages import Stages
from logshed.pipeline.together import joiner_of, records
from logshed.redaction.policy_files import load_policy
from logshed.sources import files, kafka_client
from logshed.work import UNTIL_EOF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from logshed.pipeline.planning import Options, Plan
    from logshed.pipeline.stages import Refined
    from logshed.settings import Settings
    from logshed.work import Split

    Watch = Callable[[str, pl.DataFrame], None]


class Pass:
    """Reads files from their beginning to their end, a frame in hand at a time.

    Args:
        settings: Settings; drop rules and transforms hold as in an ingest.
        options: How to read.
        split_bytes: About how long the pieces of a file are; None takes each file whole.
        chunk_bytes: Bytes in hand at a time; None takes the setting ``batch_bytes``.

    Attributes:
        problems: What could not be read, a sentence each.
        job: Policy, formats, sizes.
    """

    def __init__(
        self, settings: Settings, options: Options, *, split_bytes: int | None = None, chunk_bytes: int | None = None
    ) -> None:
        """Check what was asked for.

        Raises:
            LogshedError: A format, the policy, a drop rule, a transform, a database or a threat list is wrong; nothing
                was read.
        """
        buckets.use(settings.objects.access(settings.storage))
        kafka_client.use(settings.kafka.access())
        drops.check(settings.drop)
        transforms.check(settings.transform)
        options = replace(options, final=True, dry_run=True)
        self.problems: list[str] = []
        self._encoding = options.encoding
        policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
        self._naming = Naming(policy, settings, options.collection, None)
        job = job_of(settings, options, policy, sources.opened(settings.enrichment))
        self.job = replace(job, chunk_bytes=chunk_bytes or job.chunk_bytes)
        self._stages: tuple[Split, Stages] | None = None
        self.formats = registry.load(settings.plugins)
        self._settings, self._options = settings, options
        self._planner = self._plans(split_bytes or UNTIL_EOF)

    def plans(self, paths: Sequence[str], cut: Callable[[int], int] | None = None) -> list[Plan]:
        """The files that these paths come to, each with the splits to read.

        Args:
            paths: Files, folders, globs, or ``-``.
            cut: Tells of the bytes of all files how long their pieces are; None leaves it as it was said.
        """
        found = files.discover(paths, encoding=self._encoding)
        self.problems += [one.message for one in self._naming.problems(found.problems)]
        planner = self._plans(cut(sum(target.bytes for target in found.targets))) if cut else self._planner
        plans = planner.plan(self._naming.targets(found.targets))
        self.problems += [plan.report.error for plan in plans if plan.report.error]
        return [plan for plan in plans if plan.splits]

    def _plans(self, split_bytes: int) -> Planner:
        own = self._settings.model_copy(update={"split_bytes": split_bytes})
        return Planner(own, self._options, self._naming)

    def frames(self, split: Split, watch: Watch | None = None) -> Iterator[Refined]:
        """What the stages make of a split, frame by frame.

        A file that cannot be opened any more is one of the ``problems``.
        """
        stages = Stages(self.job, split, watch)
        try:
            yield from self._read(stages, split)
        except SourceError as error:
            self.problems.append(self._naming.told(str(error), split.locator))

    def _read(self, stages: Stages, split: Split) -> Iterator[Refined]:
        with files.read(split, chunk_bytes=self.job.chunk_bytes, max_line_bytes=self.job.max_line_bytes) as reading:
            for frame in records(reading, split, joiner_of(reading, split, self.formats)):
                yield stages.refine(frame)
        if reading.problem:
            self.problems.append(self._naming.told(reading.problem, split.locator))

    def refined(self, split: Split, records: pl.DataFrame) -> Refined:
        """What the stages make of records that come from elsewhere."""
        if self._stages is None or self._stages[0] != split:
            self._stages = (split, Stages(self.job, split))
        return self._stages[1].refine(records)

    def check(self) -> None:
        """Tell what could not be read, once everything else was.

        Raises:
            SourceError: Something could not be read.
        """
        if self.problems:
            raise SourceError("\nerror: ".join(dict.fromkeys(self.problems)))

    def all(self, paths: Sequence[str]) -> Iterator[Refined]:
        """What the stages make of all files, one after another.

        Raises:
            SourceError: Nothing can be read; where only some cannot, ``problems`` tells it afterwards.
        """
        plans = self.plans(paths)
        if not plans:
            self.check()
        for plan in plans:
            for split in plan.splits:
                yield from self.frames(split)
