"""What a worker does with a bundle of splits: read, join, refine, write both tables' files."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from logshed.formats import registry
from logshed.lake.commit import remove_files
from logshed.pipeline.stages import Stages
from logshed.pipeline.together import alike, joiner_of, opened, read_whole, records, refined
from logshed.work import Counts, DataFile, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.formats.multiline import Joiner
    from logshed.pipeline.job import Job
    from logshed.pipeline.shares import Share
    from logshed.pipeline.stages import Refined
    from logshed.sources.model import Lines
    from logshed.work import Split


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
        """Read the splits and write their files; the first of what is returned holds the files of all.

        Raises:
            StoppedError: Nobody waits for it any more; like after any failure, what was written is gone again.
        """
        # A worker that is given up may write on while another one does its work: neither has the other's files.
        parts = _Parts(self._job, f"{self._job.batch}-{uuid4().hex[:12]}")
        written: list[Written] = []
        try:
            for group in alike(self._job, bundle):
                written += self._together(group, parts) if len(group) > 1 else [self._split(group[0], parts)]
            parts.flush()
        except BaseException:
            remove_files(parts.files)
            raise
        return (replace(written[0], data_files=tuple(parts.files)), *written[1:])

    def stop(self) -> None:
        """Let every bundle of this process end at its next frame."""
        self._meter.stopped = True

    def _together(self, splits: list[Split], parts: _Parts) -> Iterator[Written]:
        """Some small splits: all are read, and what they hold is refined at once."""
        read = [read_whole(self._job, split) for split in splits]
        tallies = [_Tally() for _ in read]
        for numbers, frame, found in refined(self._job, read):
            shares = self._taken(found, frame, parts, read[numbers[0]].split)
            for number, share in zip(numbers, shares, strict=True):
                tallies[number].add(share)
        for one, tally in zip(read, tallies, strict=True):
            yield tally.written(one.split, one.reading, one.joiner)

    def _split(self, split: Split, parts: _Parts) -> Written:
        stages = Stages(self._job, split)
        tally = _Tally()
        with opened(self._job, split) as reading:
            joiner = joiner_of(reading, split, registry.load(self._job.plugins))
            for frame in records(reading, split, joiner):
                tally.add(*self._taken(stages.refine(frame), frame, parts, split))
        return tally.written(split, reading, joiner)

    def _taken(self, found: Refined, frame: pl.DataFrame, parts: _Parts, split: Split) -> Sequence[Share]:
        if self._meter.stopped:
            raise StoppedError
        size = int(frame["text"].str.len_bytes().sum()) + frame.height
        parts.add(found, size)
        self._meter.add(size, sum((share.counts for share in found.shares), Counts()), split.locator)
        return found.shares


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

    def written(self, split: Split, reading: Lines, joiner: Joiner) -> Written:
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
