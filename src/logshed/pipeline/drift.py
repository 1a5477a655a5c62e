"""The drift alarm: a known source of which suddenly fewer lines parse than usual."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES
from logshed.lake.scan import frame, iceberg_files, paths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logshed.lake.store import Store
    from logshed.pipeline.outcome import FileReport

LEAST_BEFORE = 200
"""Lines of a source that must be known before anything is usual."""

LEAST_NOW = 20
LEAST_FALL = 0.05
"""A smaller fall of the share is not worth a person's time."""

SIGMAS = 4
"""Standard deviations of the usual share by which it must have fallen: chance does that once in 30,000 times."""

SAMPLES = 3
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Drift:
    """A source that parses below its usual share.

    Attributes:
        source: The source.
        usual: Share of its earlier lines that formats took, 0 to 1.
        share: Share of its latest lines.
        lines: The latest lines.
        samples: Beginnings of lines that no format took, redacted.
    """

    source: str
    usual: float
    share: float
    lines: int
    samples: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The alarm in one sentence."""
        return (
            f"only {self.share:.1%} of its {self.lines:,} new lines parse, usually {self.usual:.1%} do; "
            f"its format may have changed"
        )


def fallen(before: tuple[int, int], now: tuple[int, int]) -> tuple[float, float] | None:
    """The usual and the new share, where the new one is too low to be chance.

    Args:
        before: Lines stored and rejected until now.
        now: Lines stored and rejected since.
    """
    known, new = sum(before), sum(now)
    if known < LEAST_BEFORE or new < LEAST_NOW:
        return None
    usual, share = before[0] / known, now[0] / new
    expected = (before[0] + 1) / (known + 2)  # Laplace's rule: what was always so need not be so for ever
    deviation = math.sqrt(expected * (1 - expected) / new)
    return (usual, share) if usual - share >= max(LEAST_FALL, SIGMAS * deviation) else None


def alarm(store: Store, reports: Iterable[FileReport], batches: list[str]) -> None:
    """Mark the reports of files that parse below their source's usual share.

    Args:
        store: The lake.
        reports: What came of the files.
        batches: The batches of this run, which are not what is usual.
    """
    doubtful = {report.source: report for report in reports if report.counts.rejected}
    if not doubtful:
        return
    earlier = (
        Ledger.of(store.table(LINES)).scan()
        .filter(pl.col("source").is_in(list(doubtful)) & ~pl.col("batch").is_in(batches)
                & ((pl.col("batch") != "") | (pl.col("dropped") == 0)))  # what is gone by now is usual all the same
        .group_by("source").agg(pl.col("stored", "rejected").sum()).collect()
    )  # fmt: skip
    for source, stored, rejected in earlier.iter_rows():
        report = doubtful[source]
        shares = fallen((stored, rejected), (report.counts.stored, report.counts.rejected))
        if shares:
            lines = report.counts.stored + report.counts.rejected
            report.drift = Drift(source, *shares, lines, tuple(report.reject_samples)).text


def drifts(store: Store) -> tuple[Drift, ...]:
    """The sources whose latest batch parses below what is usual for them, as the tables are now."""
    table = store.table(LINES)
    entries = Ledger.of(table).scan().filter(pl.col("batch") != "")
    latest = pl.col("batch") == pl.col("batch").sort_by("committed").last().over("source")
    counts = pl.col("stored", "rejected")
    found = (
        entries.with_columns(latest=latest).group_by("source")
        .agg(
            counts.filter(~pl.col("latest")).sum(), counts.filter(pl.col("latest")).sum().name.prefix("now_"),
            pl.col("batch").filter(pl.col("latest")).first(),
        ).filter(pl.col("now_rejected") > 0).sort("source").collect()
    )  # fmt: skip
    alarms = []
    for source, stored, rejected, now_stored, now_rejected, batch in found.iter_rows():
        if fallen((stored, rejected), (now_stored, now_rejected)):
            alarms.append(_as_it_is(store, source, batch, (stored, rejected)))
    return tuple(one for one in alarms if one is not None)


def _as_it_is(store: Store, source: str, batch: str, before: tuple[int, int]) -> Drift | None:
    """The alarm by what the table holds: a replay may have mended what the ledger first counted."""
    files = paths(iceberg_files(store.table(LINES)))
    rows = frame(files, LINES.short).filter((pl.col("source") == source) & (pl.col("batch") == batch))
    taken = pl.col("parse_error").is_null()
    counted = rows.select(
        pl.col("line_count").filter(taken).sum().alias("stored"),
        pl.col("line_count").filter(~taken).sum().alias("rejected"),
    )
    stored, rejected = counted.collect().row(0)
    shares = fallen(before, (int(stored), int(rejected)))
    if shares is None:
        return None
    samples = samples_of(rows.filter(~taken).head(SAMPLES).collect())
    return Drift(source, *shares, int(stored) + int(rejected), samples)


def samples_of(lines: pl.DataFrame) -> tuple[str, ...]:
    """Beginnings of the first rejected ones among rows of ``lines``."""
    rejected = lines.filter(pl.col("parse_error").is_not_null())["text"].head(SAMPLES)
    return tuple(rejected.str.split("\n").list.first().str.head(LONGEST))
