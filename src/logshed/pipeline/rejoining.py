"""Joins and cuts rows of ``bronze.lines`` anew by the formats that they are read with now.

A row was one record when it was read. A format that was mended may say that its lines go on with the record before, or
that a line inside begins another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.formats.starts import Starts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.formats.model import Format

    Taken = Callable[[pl.DataFrame], pl.Series]
    """Tells which records a format takes."""

PLACE = "line"
"""The column of a record that says in which row it lies."""


def joins(forms: Sequence[Format], envelopes: Sequence[Format]) -> bool:
    """Whether records of these formats may have several lines that lie one after another."""
    return not envelopes and any(form.multiline for form in forms) and not any(form.has_header for form in forms)


def held_back(rows: pl.DataFrame, forms: Sequence[Format]) -> int:
    """From which row on the next ones may go on with the last record; never from the first."""
    first = rows["text"].str.splitn("\n", 2).struct.field("field_0")
    begins = np.flatnonzero(Starts(forms).of_text(first))
    return int(begins[-1]) if len(begins) and begins[-1] > 0 else rows.height


def rejoined(rows: pl.DataFrame, forms: Sequence[Format], taken: Taken) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with those joined that are one record, and the records in them.

    Rows are joined only to records that a format takes, and a row that is a record by itself stays one.

    Args:
        rows: Rows of ``bronze.lines`` of one source, in their order.
        forms: The formats.
        taken: Tells which records a format takes.

    Returns:
        The rows; and the records with the columns of their row and ``PLACE``.
    """
    same = rows, rows.with_row_index(PLACE)
    lines = rows.select("text").with_row_index("row").with_columns(pl.col("text").str.split("\n")).explode("text")
    row = lines["row"].to_numpy()
    head = np.concatenate([[True], row[1:] != row[:-1]]) if len(row) else np.zeros(0, dtype=bool)
    starts = Starts(forms).of_text(lines["text"])
    starts[:1] = True
    if np.array_equal(starts, head):
        return same
    alone = np.flatnonzero(head & ~starts)
    starts[alone[taken(rows[row[alone]]).to_numpy()]] = True
    records = _records(rows, lines, starts)
    wide = records.filter(pl.col("last") > pl.col(PLACE))
    if wide.height:
        refused = wide.filter(~taken(wide))
        apart = np.isin(np.cumsum(starts) - 1, refused["record"].to_numpy())
        starts |= head & apart
    if np.array_equal(starts, head):
        return same
    return _regrouped(rows, _records(rows, lines, starts), np.cumsum(starts[head]) - 1)


def _records(rows: pl.DataFrame, lines: pl.DataFrame, starts: np.ndarray) -> pl.DataFrame:
    """The records between the starts, with what their first row has."""
    found = (
        lines.with_columns(record=pl.Series(np.cumsum(starts) - 1))
        .group_by("record", maintain_order=True)
        .agg(
            pl.col("text").str.join("\n"),
            pl.col("row").first().alias(PLACE),
            pl.col("row").last().alias("last"),
            pl.len().cast(pl.Int32).alias("line_count"),
        )
    )
    return found.with_columns(rows.drop("text", "line_count")[found[PLACE]].get_columns())


def _regrouped(rows: pl.DataFrame, records: pl.DataFrame, places: np.ndarray) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that were joined as one, and the records by the number of theirs."""
    numbered = rows.with_columns(place=pl.Series(places))
    sums = {
        "text": pl.col("text").str.join("\n"),
        "line_count": pl.col("line_count").sum(),
        "redaction_count": pl.col("redaction_count").sum(),
        "cut_bytes": pl.when(pl.col("cut_bytes").is_not_null().any()).then(pl.col("cut_bytes").sum()),
        "escaped": pl.col("escaped").any(),
    }
    own = [pl.col(name).first() for name in rows.columns if name not in sums]
    joined = numbered.group_by("place", maintain_order=True).agg(*own, **sums).select(rows.columns).cast(rows.schema)
    where = pl.Series(PLACE, places.astype(np.uint32)).gather(records[PLACE])
    return joined, records.select(*rows.columns).with_columns(where.alias(PLACE))
