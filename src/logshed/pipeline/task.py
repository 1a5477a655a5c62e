"""What a worker does with a bundle of splits: read, join, refine, write both tables' files."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.dates import may_mislead
from logshed.formats.multiline import Joiner
from logshed.pipeline.shares import ORIGIN
from logshed.pipeline.stages import Stages
from logshed.sources import files
from logshed.work import Counts, DataFile, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from logshed.formats.model import Format
    from logshed.pipeline.job import Job
    from logshed.pipeline.shares import Share
    from logshed.pipeline.stages import Refined
    from logshed.sources.reading import Reading
    from logshed.work import Split

SMALL_BYTES = 2**19
"""Splits up to so many bytes are refined together with others: for fewer records than these hold, the stages take
about as long as for none."""


@dataclass(slots=True)
class Meter:
    """Counts what the workers of this process have read; safe for threads."""

    bytes: int = 0
    lines: int = 0
    rejected: int = 0
    current: str = ""
    stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __reduce__(self) -> tuple[type[Meter], tuple[()]]:
        """Another process counts anew: its driver counts what comes back."""
        return Meter, ()

    def add(self, size: int, counts: Counts, current: str) -> None:
        """Count a frame that is done."""
        with self._lock:
            self.bytes += size
            self.lines += counts.read
            self.rejected += counts.rejected
            self.current = current


class StoppedError(Exception):
    """The user stopped the run; what is not committed yet is left."""


class _Parts:
    """Collects rows of both tables and writes them, a part at a time, so that memory stays bounded."""

    def __init__(self, job: Job, stem: str) -> None:
        self._job = job
        self._stem = stem
        self._lines: list[pl.DataFrame] = []
        self._logs: list[pl.DataFrame] = []
        self._size = 0
        self._number = 0
        self.files: list[DataFile] = []

    def add(self, refined: Refined, size: int) -> None:
        if self._job.lines is None:
            return
        self._lines.append(refined.lines)
        self._logs.append(_filled(refined.logs))
        self._size += size
        if self._size >= self._job.part_bytes:
            self.flush()

    def flush(self) -> None:
        if self._job.lines is None or self._job.logs is None or not self._lines:
            return
        stem = f"{self._stem}-{self._number:03d}"
        lines, logs = pl.concat(self._lines), pl.concat(self._logs, how="diagonal")
        self._lines, self._logs, self._size = [], [], 0
        self._number += 1
        if lines.height:
            self.files += self._job.lines.write(lines, stem)
        del lines
        if logs.height:
            logs = logs if logs["timestamp"].is_sorted() else logs.sort("timestamp", maintain_order=True)
            self.files += self._job.logs.write(logs, stem)


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that hold something: a row costs sixteen bytes in each of the others too, and most are empty."""
    if frame.is_empty():
        return frame
    return frame.select(name for name in frame.columns if frame[name].null_count() < frame.height)


def joiner_of(reading: Reading, split: Split, formats: Mapping[str, Format]) -> Joiner:
    """What puts the lines of a split together to records."""
    return Joiner(Choice.parse(split.format), split, lookback=reading.lookback, formats=formats)


def records(reading: Reading, split: Split, joiner: Joiner) -> Iterator[pl.DataFrame]:
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


class IngestTask:
    """Turns a bundle of splits into data files.

    Args:
        job: The batch's work.
        meter: Where to count what is read.
    """

    def __init__(self, job: Job, meter: Meter) -> None:
        self._job = job
        self._meter = meter

    def __call__(self, bundle: tuple[Split, ...]) -> tuple[Written, ...]:
        """Read the splits and write their files; the first of what is returned holds the files of all."""
        first = bundle[0]
        parts = _Parts(self._job, f"{self._job.batch}-{first.generation[:8]}-{first.start:x}")
        written: list[Written] = []
        for alike in self._alike(bundle):
            written += self._together(alike, parts) if len(alike) > 1 else [self._split(alike[0], parts)]
        parts.flush()
        return (replace(written[0], data_files=tuple(parts.files)), *written[1:])

    def stop(self) -> None:
        """Let every bundle of this process end at its next frame."""
        self._meter.stopped = True

    def _alike(self, bundle: tuple[Split, ...]) -> Iterator[list[Split]]:
        """The splits in their order, small ones that are alike together: each turn of the stages has its price."""
        group: list[Split] = []
        size, last = 0, None
        for split in bundle:
            own = split.end - split.start
            key = Stages.alike(self._job, split) if own <= SMALL_BYTES else None
            if group and (key is None or key != last or size + own > self._job.chunk_bytes):
                yield group
                group, size = [], 0
            group.append(split)
            size, last = size + own, key
        yield group

    def _together(self, splits: list[Split], parts: _Parts) -> Iterator[Written]:
        """Some small splits: all are read, and what they hold is refined at once."""
        read = [self._read(split) for split in splits]
        joint = [
            number for number, one in enumerate(read) if one.records.height and not may_mislead(one.records["text"])
        ]
        if len(joint) > 1:
            frame = pl.concat(
                (
                    read[number].records.with_columns(pl.lit(place, pl.UInt32).alias(ORIGIN))
                    for place, number in enumerate(joint)
                ),
                how="diagonal_relaxed",
            )
            first, *others = (splits[number] for number in joint)
            shares = self._refine(Stages(self._job, first, None, others), frame, parts, first)
            for number, share in zip(joint, shares, strict=True):
                read[number].tally.add(share)
        for number, one in enumerate(read):
            if one.records.height and (number not in joint or len(joint) == 1):
                one.tally.add(*self._refine(Stages(self._job, one.split), one.records, parts, one.split))
            yield one.tally.written(one.split, one.reading, one.joiner)

    def _read(self, split: Split) -> _Read:
        with self._reading(split) as reading:
            joiner = self._joiner(reading, split)
            frames = list(records(reading, split, joiner))
        return _Read(split, reading, joiner, pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame())

    def _split(self, split: Split, parts: _Parts) -> Written:
        stages = Stages(self._job, split)
        tally = _Tally()
        with self._reading(split) as reading:
            joiner = self._joiner(reading, split)
            for frame in records(reading, split, joiner):
                tally.add(*self._refine(stages, frame, parts, split))
        return tally.written(split, reading, joiner)

    def _reading(self, split: Split) -> Reading:
        return files.read(split, chunk_bytes=self._job.chunk_bytes, max_line_bytes=self._job.max_line_bytes)

    def _joiner(self, reading: Reading, split: Split) -> Joiner:
        return joiner_of(reading, split, registry.load(self._job.plugins))

    def _refine(self, stages: Stages, frame: pl.DataFrame, parts: _Parts, split: Split) -> Sequence[Share]:
        if self._meter.stopped:
            raise StoppedError
        refined = stages.refine(frame)
        size = int(frame["text"].str.len_bytes().sum()) + frame.height
        parts.add(refined, size)
        self._meter.add(size, sum((share.counts for share in refined.shares), Counts()), split.locator)
        return refined.shares


class _Tally:
    """Sums up a split."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._first = ""
        self._last = ""
        self._samples: tuple[str, ...] = ()

    def add(self, share: Share) -> None:
        self._counts += share.counts
        self._samples = self._samples or share.reject_samples
        self._first = min(filter(None, (self._first, share.first_timestamp)), default="")
        self._last = max(self._last, share.last_timestamp)

    def written(self, split: Split, reading: Reading, joiner: Joiner) -> Written:
        """What is told of the split once it is read."""
        return Written(
            split=replace(split, end=reading.end, format=str(joiner.choice)),
            data_files=(),
            counts=self._counts,
            tail_size=reading.tail_size,
            tail_hash=reading.tail_hash,
            first_timestamp=self._first,
            last_timestamp=self._last,
            problem=reading.problem,
            reject_samples=self._samples,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """A split that is read whole."""

    split: Split
    reading: Reading
    joiner: Joiner
    records: pl.DataFrame
    tally: _Tally = field(default_factory=_Tally)
