"""Reads splits to records, and small ones that are alike through the stages at once: each turn has its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.dates import may_mislead
from logshed.formats.multiline import Joiner
from logshed.pipeline.shares import ORIGIN
from logshed.pipeline.stages import Stages
from logshed.sources import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from logshed.formats.model import Format
    from logshed.pipeline.job import Job
    from logshed.pipeline.stages import Refined
    from logshed.sources.model import Lines
    from logshed.work import Split

SMALL_BYTES = 2**19
"""Splits up to so many bytes are refined together with others: for fewer records than these hold, the stages take
about as long as for none."""


@dataclass(frozen=True, slots=True)
class Read:
    """A split that is read whole."""

    split: Split
    reading: Lines
    joiner: Joiner
    records: pl.DataFrame


def opened(job: Job, split: Split) -> Lines:
    """A split's lines, to be read as the job has it."""
    return files.read(split, chunk_bytes=job.chunk_bytes, max_line_bytes=job.max_line_bytes)


def joiner_of(reading: Lines, split: Split, formats: Mapping[str, Format]) -> Joiner:
    """What puts the lines of a split together to records."""
    return Joiner(Choice.parse(split.format), split, lookback=reading.lookback, formats=formats)


def records(reading: Lines, split: Split, joiner: Joiner) -> Iterator[pl.DataFrame]:
    """The records that begin in a split, whole, in frames.

    Where another split follows, reading goes on behind the end until the last record is complete.
    """
    for lines in reading:
        owned = lines if split.continues else lines.filter(pl.col("offset") < split.end)
        frame = joiner.push(owned)
        if frame.height:
            yield frame
        if joiner.done or owned.height < lines.height:
            break
    frame = joiner.finish()
    if frame.height:
        yield frame


def alike(job: Job, bundle: Sequence[Split]) -> Iterator[list[Split]]:
    """The splits in their order, small ones that may go through the stages at once together."""
    group: list[Split] = []
    size, last = 0, None
    for split in bundle:
        own = split.bytes
        key = Stages.alike(job, split) if own <= SMALL_BYTES else None
        if group and (key is None or key != last or size + own > job.chunk_bytes):
            yield group
            group, size = [], 0
        group.append(split)
        size, last = size + own, key
    yield group


def read_whole(job: Job, split: Split) -> Read:
    """Read a small split."""
    with opened(job, split) as reading:
        joiner = joiner_of(reading, split, registry.load(job.plugins))
        frames = list(records(reading, split, joiner))
    return Read(split, reading, joiner, pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame())


def refined(job: Job, read: Sequence[Read]) -> Iterator[tuple[list[int], pl.DataFrame, Refined]]:
    """What the stages make of some small splits: whose it is, the records, and what came of them.

    A split whose dates may tell in which order those of others are goes alone.
    """
    joint = [number for number, one in enumerate(read) if one.records.height and not may_mislead(one.records["text"])]
    if len(joint) > 1:
        frame = pl.concat(
            (
                read[number].records.with_columns(pl.lit(place, pl.UInt32).alias(ORIGIN))
                for place, number in enumerate(joint)
            ),
            how="diagonal_relaxed",
        )
        first, *others = (read[number].split for number in joint)
        yield joint, frame, Stages(job, first, None, others).refine(frame)
    for number, one in enumerate(read):
        if one.records.height and (number not in joint or len(joint) == 1):
            yield [number], one.records, Stages(job, one.split).refine(one.records)
