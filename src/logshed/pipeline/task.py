"""What a worker does with a bundle of splits: read, join, refine, write both tables' files."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.multiline import Joiner
from logshed.pipeline.drift import samples_of
from logshed.pipeline.stages import Stages
from logshed.sources import files
from logshed.work import Counts, DataFile, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from logshed.formats.model import Format
    from logshed.pipeline.job import Job
    from logshed.pipeline.stages import Refined
    from logshed.sources.reading import Reading
    from logshed.work import Split

_ISO = "%Y-%m-%dT%H:%M:%S%.6fZ"


@dataclass(slots=True)
class Meter:
    """Counts what the workers of this process have read; safe for threads."""

    bytes: int = 0
    lines: int = 0
    rejected: int = 0
    current: str = ""
    stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

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
        written = [self._split(split, parts) for split in bundle]
        parts.flush()
        return (replace(written[0], data_files=tuple(parts.files)), *written[1:])

    def stop(self) -> None:
        """Let every bundle of this process end at its next frame."""
        self._meter.stopped = True

    def _split(self, split: Split, parts: _Parts) -> Written:
        stages = Stages(self._job, split)
        tally = _Tally()
        with files.read(split, chunk_bytes=self._job.chunk_bytes, max_line_bytes=self._job.max_line_bytes) as reading:
            joiner = joiner_of(reading, split, registry.load(self._job.plugins))
            for frame in records(reading, split, joiner):
                self._refine(stages, frame, parts, tally, split)
        return Written(
            split=replace(split, end=reading.end, format=str(joiner.choice)),
            data_files=(),
            counts=tally.counts,
            tail_size=reading.tail_size,
            tail_hash=reading.tail_hash,
            first_timestamp=tally.first,
            last_timestamp=tally.last,
            problem=reading.problem,
            reject_samples=tally.samples,
        )

    def _refine(self, stages: Stages, frame: pl.DataFrame, parts: _Parts, tally: _Tally, split: Split) -> None:
        if self._meter.stopped:
            raise StoppedError
        refined = stages.refine(frame)
        size = int(frame["text"].str.len_bytes().sum()) + frame.height
        parts.add(refined, size)
        tally.add(refined)
        self._meter.add(size, refined.counts, split.locator)


class _Tally:
    """Sums up a split."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.first = ""
        self.last = ""
        self.samples: tuple[str, ...] = ()

    def add(self, refined: Refined) -> None:
        self.counts += refined.counts
        if refined.counts.rejected and not self.samples:
            self.samples = samples_of(refined.lines)
        own = pl.col("timestamp").filter(pl.col("timestamp_source") != "observed")
        shown = refined.logs.select(
            own.min().dt.strftime(_ISO).alias("first"), own.max().dt.strftime(_ISO).alias("last")
        )
        if shown["first"][0] is not None:
            self.first = min(filter(None, (self.first, shown["first"][0])))
            self.last = max(self.last, shown["last"][0])
