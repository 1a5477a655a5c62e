"""Brings logs straight into the hot store, without a lake: read, joined, redacted and parsed as for one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from itertools import chain
from queue import Full, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from logshed.errors import LiveError
from logshed.live import keys, pieces
from logshed.live.hot import HotStore, Origin
from logshed.pipeline.passing import Pass
from logshed.pipeline.resting_stream import RestingStream
from logshed.sources import arriving
from logshed.sources.feeds import Arrival, Stream
from logshed.sources.sorting import COLLECTION, NO_COLLECTION, NO_MATCH
from logshed.work import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from logshed.pipeline.planning import Options
    from logshed.pipeline.stages import Refined
    from logshed.settings import Settings

STDIN = "-"
LOOK_S = 0.25
GIVE_UP_S = 15.0
"""How long a hot store that does not answer is waited for once the user has stopped the import."""
AHEAD = 3
"""Frames that may wait for the hot store while the next is read."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """Which records are taken, and to which collections they belong.

    Attributes:
        match: Only records in whose text this regular expression (Rust's) is found; empty takes all.
        collection_from: Its first group in the text is the collection; empty leaves records in theirs.
        unmatched: The collection of records in which it is not found; empty drops them.
    """

    match: str = ""
    collection_from: str = ""
    unmatched: str = ""

    def of(self, rows: pl.DataFrame, dropped: dict[str, int]) -> pl.DataFrame:
        """The rows that are taken; how many are not is added under the reason."""
        if self.match:
            rows = _kept(rows, rows["text"].str.contains(self.match), NO_MATCH, dropped)
        if self.collection_from:
            found = rows["text"].str.extract(self.collection_from, 1)
            sound = found.str.contains(COLLECTION).fill_null(value=False)
            none = pl.Series([self.unmatched or None], dtype=pl.String).new_from_index(0, rows.height)
            rows = rows.with_columns(found.zip_with(sound, none).alias("collection"))
            rows = _kept(rows, rows["collection"].is_not_null(), NO_COLLECTION, dropped)
        return rows


@dataclass(slots=True)
class ImportReport:
    """What an import came to so far.

    Attributes:
        counts: The fates of the lines that were read.
        counted: Records that the hot store counted now; others were counted before.
        dropped: Records that were not taken, by the reason.
        seconds: How long it has run.
        problems: What could not be read, a sentence each.
    """

    counts: Counts = field(default_factory=Counts)
    counted: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "lines": self.counts.read,
            "rejected": self.counts.rejected,
            "redacted": self.counts.redacted,
            "counted": self.counted,
            "dropped": self.counts.dropped | self.dropped,
            "seconds": round(self.seconds, 3),
            "problems": self.problems,
        }


class LiveImport:
    """One run of the verb.

    Args:
        hot: The hot store.
        settings: Settings; drop rules and transforms hold as in an ingest.
        options: As of an ingest.
        choosing: Which records are taken.
        progress: Is told how it stands, after each frame.
    """

    def __init__(
        self,
        hot: HotStore,
        settings: Settings,
        options: Options,
        choosing: Choosing,
        progress: Callable[[ImportReport], None] | None = None,
    ) -> None:
        self.report = ImportReport()
        self._hot = hot
        self._passing = Pass(settings, options)
        self._options = options
        self._choosing = choosing
        self._progress = progress
        self._begun = time.monotonic()
        self._patience = GIVE_UP_S
        self._followed: dict[str, str] = {}

    def run(self, paths: Sequence[str], stop: Event) -> ImportReport:
        """Import files to their end, and standard input until it ends or ``stop`` is set.

        Args:
            paths: Files, folders, globs, a spool, or ``-`` for standard input.
            stop: Ends it; what was read by then is counted.

        Raises:
            LiveError: The hot store does not answer, refuses or has no room.
        """
        named = [arriving.path() if path == STDIN and arriving.is_file() else path for path in paths]
        frames: Iterator[tuple[Refined, Origin] | None] = self._files([path for path in named if path != STDIN], stop)
        if STDIN in named:
            frames = chain(frames, self._arriving(stop))
        self._write(frames, stop)
        self.report.problems = list(dict.fromkeys(self._passing.problems))
        self.report.seconds = time.monotonic() - self._begun
        return self.report

    def _files(self, paths: Sequence[str], stop: Event) -> Iterator[tuple[Refined, Origin]]:
        for plan in self._passing.plans(paths) if paths else []:
            for split in plan.splits:
                origin = Origin(keys.imported(split.source, split.generation))
                self._followed[origin.cursor] = keys.followed(split.source, split.generation)
                for refined in self._passing.frames(split):
                    yield refined, origin
                    if stop.is_set():
                        return

    def _arriving(self, stop: Event) -> Iterator[tuple[Refined, Origin] | None]:
        """What arrives at standard input; each run of it is a source of its own."""
        pinned = "" if self._options.format == "auto" else self._options.format
        resource = (("service.name", self._options.service),) if self._options.service else ()
        stream = Stream("stdin:", resource=resource, format=pinned)
        resting = RestingStream(stream, self._passing.job, stream.source, resource)
        origin = Origin(keys.imported(stream.source, uuid4().hex))
        number = 0
        for lines in _and_end(arriving.lines(stop)):
            if lines is None:
                records = resting.close()
            elif lines:
                records = resting.take([Arrival(stream, lines, lambda count: {"line": count})])
            else:
                records = resting.close() if resting.is_due() else None
            if records is None or not records.height:
                yield None
                continue
            resting.done(records)
            numbered = records.with_columns(offset=pl.int_range(number, number + records.height, dtype=pl.Int64))
            number += records.height
            split = replace(resting.split, generation=origin.cursor)
            yield self._passing.refined(split, numbered), origin

    def _write(self, frames: Iterator[tuple[Refined, Origin] | None], stop: Event) -> None:
        """Put frames into the hot store while the next are read."""
        waiting: Queue[tuple[pl.DataFrame, Origin] | None] = Queue(AHEAD)
        failed: list[BaseException] = []
        writer = Thread(target=self._put, args=(waiting, failed), daemon=True)
        writer.start()
        for frame in frames:
            if failed:
                break
            if frame is not None:
                self._hand_over(*frame, waiting, stop)
        waiting_for_end = False
        while writer.is_alive():
            if not waiting_for_end and not waiting.full():
                waiting.put(None)
                waiting_for_end = True
            writer.join(LOOK_S)
            self._be_patient(stop)
        if failed:
            raise failed[0]

    def _hand_over(
        self, refined: Refined, origin: Origin, waiting: Queue[tuple[pl.DataFrame, Origin] | None], stop: Event
    ) -> None:
        """Give a frame to the writer, which goes on taking what it is given after it has failed."""
        self.report.counts += sum((share.counts for share in refined.shares), Counts())
        rows = self._choosing.of(pieces.rows_of(refined.lines, refined.logs), self.report.dropped)
        while rows.height:
            try:
                waiting.put((rows, origin), timeout=LOOK_S)
            except Full:
                self._be_patient(stop)
            else:
                return

    def _be_patient(self, stop: Event) -> None:
        """Count the time for which the hot store is waited for after the user has stopped the import.

        Raises:
            LiveError: It was long enough.
        """
        self._patience -= LOOK_S if stop.is_set() else 0
        if self._patience <= 0:
            raise LiveError(
                "cannot write what was read last: the hot store has not answered since the import was stopped; look at "
                "it, and import again"
            )

    def _put(self, waiting: Queue[tuple[pl.DataFrame, Origin] | None], failed: list[BaseException]) -> None:
        stands: dict[str, int] = {}
        while (item := waiting.get()) is not None:
            if failed:
                continue
            rows, origin = item
            try:
                if origin.cursor not in stands:
                    also = self._followed.get(origin.cursor, origin.cursor)
                    stands[origin.cursor] = max(self._hot.stands(origin.cursor, also))
                rows = rows.filter(pl.col("offset") >= stands[origin.cursor])
                if rows.height:
                    self.report.counted += self._hot.put(rows, origin)
            except Exception as error:  # noqa: BLE001 - raised again by whoever waits for this thread
                failed.append(error)
            self.report.seconds = time.monotonic() - self._begun
            if self._progress is not None:
                self._progress(self.report)


def _and_end(arriving: Iterator[list[bytes]]) -> Iterator[list[bytes] | None]:
    yield from arriving
    yield None


def _kept(rows: pl.DataFrame, stays: pl.Series, why: str, dropped: dict[str, int]) -> pl.DataFrame:
    kept = rows.filter(stays)
    if kept.height < rows.height:
        dropped[why] = dropped.get(why, 0) + rows.height - kept.height
    return kept
