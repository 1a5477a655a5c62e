"""Cuts rows of ``bronze.lines`` into slices that fit in memory, those of a source in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.names import LINES
from logshed.lake.scan import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from logshed.pipeline.reparse_rows import Rows

WINDOW_ROWS = 1_000_000
"""Rows whose batches are looked at together: records are joined within."""
SLICE_ROWS = 100_000
KEY = ["source", "generation", "offset"]


def windows(counts: dict[str, int]) -> Iterator[list[str]]:
    """Batches in their order, so many together as a window has.

    Args:
        counts: Rows by batch.
    """
    window: list[str] = []
    size = 0
    for batch, count in sorted(counts.items()):
        if window and size + count > WINDOW_ROWS:
            yield window
            window, size = [], 0
        window.append(batch)
        size += count
    if window:
        yield window


def slices(files: Sequence[str], rows: Rows, held_back: Callable[[pl.DataFrame], int]) -> Iterator[pl.DataFrame]:
    """The rows, whole sources together where they are small.

    Args:
        files: Data files that hold them.
        rows: Which they are.
        held_back: From which row of one source on what follows may belong to the last record.
    """
    lines = frame(files, LINES.short).filter(rows.expr)
    counts = lines.group_by("source", "generation").len().sort("source", "generation").collect(engine="streaming")
    small = counts.filter(pl.col("len") <= SLICE_ROWS).with_columns(part=pl.col("len").cum_sum() // SLICE_ROWS)
    for (_,), part in small.group_by("part", maintain_order=True):
        wanted = part.select("source", "generation").lazy()
        yield lines.join(wanted, on=["source", "generation"], how="semi").sort(KEY).collect()
    for source, generation, _ in counts.filter(pl.col("len") > SLICE_ROWS).iter_rows():
        own = lines.filter((pl.col("source") == source) & (pl.col("generation") == generation))
        yield from _of_source(own, held_back)


def _of_source(own: pl.LazyFrame, held_back: Callable[[pl.DataFrame], int]) -> Iterator[pl.DataFrame]:
    """A large source, slice by slice; a record that may go on waits for the next."""
    offsets = own.select("offset").collect()["offset"].sort()
    ends = [*offsets.gather_every(SLICE_ROWS, SLICE_ROWS).to_list(), None]
    held: pl.DataFrame | None = None
    first = None
    for end in ends:
        within = pl.lit(value=True) if first is None else pl.col("offset") >= first
        within &= pl.lit(value=True) if end is None else pl.col("offset") < end
        rows = own.filter(within).sort("offset").collect()
        rows = rows if held is None else pl.concat([held, rows])
        cut = rows.height if end is None else held_back(rows)
        held, first = rows[cut:], end
        yield rows[:cut]
