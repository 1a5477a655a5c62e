"""Some batches' rows of ``bronze.lines`` read anew and written beside: what a worker does of a reparse."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from logshed.lake.commit import remove_files
from logshed.lake.steps import step
from logshed.pipeline.reparse_slices import slices
from logshed.pipeline.rereading import Reader
from logshed.pipeline.task import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from logshed.lake.writing import FileWriter
    from logshed.pipeline.job import Job
    from logshed.pipeline.reparse_rows import Rows
    from logshed.work import DataFile

VERB = "reparse"


@dataclass(frozen=True, slots=True)
class Window:
    """Rows that are read anew together.

    Attributes:
        number: Its place among those of the day.
        files: Data files that hold them.
        rows: Which they are.
    """

    number: int
    files: tuple[str, ...]
    rows: Rows


@dataclass(slots=True)
class Reread:
    """What became of a window.

    Attributes:
        number: Its place among those of the day.
        rows: Records now.
        errors: Those of them that no format takes.
        joined: Rows of ``lines`` that became part of the one before.
        filled: Values by column.
        formats: Physical lines by the formats that they were read with and are read with now.
        days: Days on which the records happened.
        moved: Physical lines that a format takes now and none took, less those the other way round, by source and
            generation.
        changed: Whether ``lines`` are other than they were.
        logs: Files of ``silver.logs``.
        lines: Files of ``bronze.lines``; none where they are what rests already.
    """

    number: int
    rows: int = 0
    errors: int = 0
    joined: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    formats: dict[tuple[str, str], int] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    changed: bool = False
    logs: list[DataFile] = field(default_factory=list)
    lines: list[DataFile] = field(default_factory=list)

    def count(self, before: pl.DataFrame, lines: pl.DataFrame, logs: pl.DataFrame) -> None:
        """What the records come to, and whose lines a format takes that none took, or the other way round."""
        self.rows += logs.height
        self.errors += logs.height - logs["parse_error"].null_count()
        self.filled.update({name: logs.height - logs[name].null_count() for name in logs.columns})
        self.joined += before.height - lines.height
        self.days |= set(logs["timestamp"].dt.date().unique())
        for sign, rows in ((1, before), (-1, lines)):
            rejected = rows.filter(pl.col("parse_error").is_not_null())
            for source, generation, count in (
                rejected.group_by("source", "generation").agg(pl.col("line_count").sum()).iter_rows()
            ):
                self.moved[source, generation] += sign * count


@dataclass(frozen=True, slots=True)
class WindowTask:
    """Reads windows anew.

    Attributes:
        job: Policy, formats and enrichment, as of an ingest.
        format_text: ``auto``, or the format choice for all rows.
        logs: Writer of ``silver.logs``; None in a dry run.
        lines: Writer of ``bronze.lines``; None in a dry run.
        told: Is told how many rows were read; only in the process that made it.
        stopped: Whether nobody waits for it any more.
    """

    job: Job
    format_text: str
    logs: FileWriter | None
    lines: FileWriter | None
    told: Callable[[int], None] | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def __reduce__(self) -> tuple[type[WindowTask], tuple[Job, str, FileWriter | None, FileWriter | None]]:
        """Another process tells nobody."""
        return WindowTask, (self.job, self.format_text, self.logs, self.lines)

    def __call__(self, window: Window, /) -> Reread:
        """Read it anew, and write its rows beside what rests unless it is a dry run.

        Raises:
            LakeError: A file cannot be read or written; what was written is gone again.
        """
        done = Reread(window.number)
        reader = Reader(self.job, self.format_text)
        try:
            for part in slices(window.files, window.rows, reader.held_back):
                self._part(done, reader, part)
        except BaseException:
            remove_files([*done.logs, *done.lines])
            raise
        if not done.changed:  # they are what rests already
            remove_files(done.lines)
            done.lines = []
        done.formats = reader.lines
        return done

    def stop(self) -> None:
        """Let every window of this process end at its next slice."""
        self.stopped.set()

    def _part(self, done: Reread, reader: Reader, part: pl.DataFrame) -> None:
        if self.stopped.is_set():
            raise StoppedError
        if self.told is not None:
            self.told(part.height)
        read = list(reader.read(part))
        logs = pl.concat([one.logs for one in read])
        lines = pl.concat([one.lines for one in read])
        done.count(part, lines, logs)
        done.changed |= any(one.changed for one in read)
        if self.logs is not None and self.lines is not None:
            done.logs += _written(self.logs, logs.sort("timestamp", maintain_order=True), done.number)
            done.lines += _written(self.lines, lines, done.number)


def _written(writer: FileWriter, rows: pl.DataFrame, number: int) -> Iterator[DataFile]:
    yield from writer.write(rows, f"{VERB}-{number:05d}-{uuid4().hex}")
    step(f"after {VERB} file")
