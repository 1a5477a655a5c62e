"""Lines that no format took: parses them again after a format was added or fixed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from logshed.errors import UnsureError
from logshed.formats import detect, registry
from logshed.lake.commit import remove_files, replace_files
from logshed.lake.ledger import moved
from logshed.lake.names import LINES, LOGS
from logshed.lake.scan import frame, iceberg_files, paths
from logshed.lake.writing import FileWriter
from logshed.pipeline.catchup import catch_up, reparsed

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile as IcebergFile

    from logshed.lake.store import Store
    from logshed.pipeline.job import Job
    from logshed.work import DataFile

SAMPLE = 1000
RECORD = ["source", "generation", "offset"]


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What came of a replay, in physical lines.

    Attributes:
        tried: Lines that were parsed again.
        taken: Lines that a format takes now.
        formats: Lines taken, by format choice.
    """

    tried: int
    taken: int
    formats: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def replay(store: Store, job: Job) -> ReplayReport:
    """Parse every rejected record again, and put those that a format takes now in the place of the rejected rows.

    Bronze is changed first, with ledger entries that move the lines from rejected to stored; silver follows. When the
    run is ended between the two, the next replay finishes it.

    Raises:
        CommitConflictError: Another writer was quicker; nothing was changed.
    """
    catch_up(store, job)
    _finish(store, job)
    files = iceberg_files(store.table(LINES), "parse_error IS NOT NULL")
    rejected = frame(paths(files), LINES.short).filter(pl.col("parse_error").is_not_null()).collect()
    if rejected.is_empty():
        return ReplayReport(0, 0, {})
    chosen = _chosen(rejected, job)
    logs = reparsed(chosen, job)
    taken = logs.filter(pl.col("parse_error").is_null()).select(RECORD).unique()
    fixed = chosen.join(taken, on=RECORD, how="semi")
    if not fixed.is_empty():
        _change_lines(store, files, fixed)
        _finish(store, job)
    by_format = fixed.group_by("format").agg(pl.col("line_count").sum()).sort("format")
    return ReplayReport(int(rejected["line_count"].sum()), int(fixed["line_count"].sum()), dict(by_format.iter_rows()))


def _chosen(rejected: pl.DataFrame, job: Job) -> pl.DataFrame:
    """The rejected rows of each source with the format choice that its rejects themselves suggest."""
    formats = registry.load(job.plugins)
    parts = []
    for _, rows in rejected.group_by("source", "generation", maintain_order=True):
        found = detect.detect(rows["text"].head(SAMPLE), formats=formats)
        parts.append(rows.with_columns(format=pl.lit(str(found.choice))))
    return pl.concat(parts)


def _change_lines(store: Store, files: list[IcebergFile], fixed: pl.DataFrame) -> None:
    choice = fixed.select(*RECORD, pl.col("format").alias("now"))
    touched = [
        file
        for file in files
        if not _rows(file, LINES.short).join(fixed.lazy(), on=RECORD, how="semi").collect().is_empty()
    ]
    writer = FileWriter.of(LINES, store.to_write(LINES))
    new: list[DataFile] = []
    for file in touched:
        rows = _rows(file, LINES.short).collect().join(choice, on=RECORD, how="left", maintain_order="left")
        rows = rows.with_columns(
            format=pl.coalesce("now", "format"),
            parse_error=pl.when(pl.col("now").is_null()).then(pl.col("parse_error")),
        )
        new += writer.write(rows, f"replay-{uuid4().hex}")
    _replace(store, LINES.short, touched, new, _adjustments(fixed))


def _adjustments(fixed: pl.DataFrame) -> pl.DataFrame:
    """Ledger entries without bytes that move lines from rejected to stored."""
    counted = fixed.group_by("source", "generation").agg(pl.col("line_count").sum())
    return moved({(source, generation): count for source, generation, count in counted.iter_rows()})


def _finish(store: Store, job: Job) -> None:
    """Put into silver the records that bronze holds as parsed and silver still as rejected."""
    files = iceberg_files(store.table(LOGS), "parse_error IS NOT NULL")
    stale = frame(paths(files), LOGS.short).filter(pl.col("parse_error").is_not_null()).select(RECORD).collect()
    if stale.is_empty():
        return
    lines = frame(paths(iceberg_files(store.table(LINES))), LINES.short)
    behind = lines.filter(pl.col("parse_error").is_null()).join(stale.lazy(), on=RECORD, how="semi").collect()
    if behind.is_empty():
        return
    logs = reparsed(behind, job)
    writer = FileWriter.of(LOGS, store.to_write(LOGS))
    new: list[DataFile] = []
    touched = [
        file
        for file in files
        if not _rows(file, LOGS.short).join(behind.lazy(), on=RECORD, how="semi").collect().is_empty()
    ]
    for file in touched:
        new += writer.write(
            _rows(file, LOGS.short).collect().join(behind, on=RECORD, how="anti", maintain_order="left"),
            f"replay-{uuid4().hex}",
        )
    own = replace(writer, notes=job.sources.notes)
    new += own.write(logs.sort("timestamp", maintain_order=True), f"replay-{uuid4().hex}")
    _replace(store, LOGS.short, touched, new)


def _replace(
    store: Store, short: str, old: list[IcebergFile], new: list[DataFile], adjust: pl.DataFrame | None = None
) -> None:
    try:
        replace_files(store, short, old, new, adjust)
    except UnsureError:
        raise  # the table may have them
    except BaseException:
        remove_files(new)
        raise


def _rows(file: IcebergFile, short: str) -> pl.LazyFrame:
    return frame(paths([file]), short)
