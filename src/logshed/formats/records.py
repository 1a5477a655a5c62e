"""From lines and where records begin to records; the longest are closed early so that memory stays bounded."""

from __future__ import annotations

import numpy as np
import polars as pl

MAX_BYTES, MAX_LINES = 1 << 20, 5_000
"""A record at either size is closed, and the next line begins another."""
MAX_SPAN = 10_000
"""Lines of the source, other streams' included, over which a record may spread."""


def group(lines: pl.DataFrame, starts: np.ndarray, *, keep_last: bool) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Join lines.

    Args:
        lines: ``text``, ``offset``, ``cut_bytes``, ``escaped``.
        starts: True where a line begins a record; the first does in any case.
        keep_last: Whether the last record may go on, so that its lines are given back.

    Returns:
        The records, and the lines of the last one where it is kept.
    """
    if lines.height and not starts.all():
        starts = starts.copy()
        starts[0] = True
        close_long(lines, starts)
    kept = None
    if keep_last and lines.height:
        last = int(np.flatnonzero(starts)[-1])
        kept, lines, starts = lines[last:], lines[:last], starts[:last]
    if starts.all():
        count = pl.Series("line_count", [1], dtype=pl.Int32).new_from_index(0, lines.height)
        return lines.select("text", "offset", count, "cut_bytes", "escaped"), kept
    return _joined(lines, starts), kept


def close_long(lines: pl.DataFrame, starts: np.ndarray, numbers: np.ndarray | None = None) -> None:
    """Mark further starts in records that are too long or, by the lines' ``numbers``, spread over too many."""
    begins = np.flatnonzero(starts)
    counts = np.diff(np.append(begins, lines.height))
    sizes = lines["text"].str.len_bytes().to_numpy().astype(np.int64) + 1
    totals = np.add.reduceat(sizes, begins)
    if numbers is None:
        numbers = np.zeros(lines.height, dtype=np.int64)
    spans = numbers[begins + counts - 1] - numbers[begins]
    long = (counts > MAX_LINES) | ((totals > MAX_BYTES) & (counts > 1)) | (spans > MAX_SPAN)
    for record in np.flatnonzero(long):
        first, size = int(begins[record]), 0
        for row in range(int(begins[record]), int(begins[record] + counts[record])):
            over = row - first >= MAX_LINES or size + sizes[row] > MAX_BYTES or numbers[row] - numbers[first] > MAX_SPAN
            if row > first and over:
                starts[row] = True
                first, size = row, 0
            size += int(sizes[row])


def _joined(lines: pl.DataFrame, starts: np.ndarray) -> pl.DataFrame:
    """Only the lines of records of several lines are touched."""
    record = np.cumsum(starts) - 1
    counts = np.bincount(record)
    several = counts[record] > 1
    alone = lines.filter(pl.Series(~several)).with_columns(pl.lit(1, pl.Int32).alias("line_count"))
    joined = (
        lines.filter(pl.Series(several))
        .with_columns(pl.Series("record", record[several]))
        .group_by("record", maintain_order=True)
        .agg(
            pl.col("text").str.join("\n"),
            pl.col("offset").first(),
            pl.len().cast(pl.Int32).alias("line_count"),
            pl.when(pl.col("cut_bytes").is_not_null().any()).then(pl.col("cut_bytes").sum()).alias("cut_bytes"),
            pl.col("escaped").any(),
        )
    )
    columns = ["text", "offset", "line_count", "cut_bytes", "escaped"]
    return pl.concat([alone.select(columns), joined.select(columns)]).sort("offset")
