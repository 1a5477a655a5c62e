"""Keeps figures by day small enough for a page: of many labels those that can come into a list of the most frequent.

A label is kept where it is among a day's most frequent on any day, and then with the figures of all its days, so that
what a page adds up is exact. How much a label that was left out can have had on a day is kept too (Fagin, Lotem, Naor:
"Optimal aggregation algorithms for middleware", 2001): the page says so where one may be missing from a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ROWS = 6_000
"""Rows by day that one panel may bring along; they take about 250 KB."""
FIRST_TRIED = 60
LEAST_TRIED = 10


def trimmed(
    rows: pl.DataFrame, day: str, keys: Sequence[str], figure: str
) -> tuple[pl.DataFrame, dict[str, list[list[Any]]]]:
    """The rows of the labels that matter, and what was left out: ``cut`` and ``rest``, both empty where all are kept.

    Args:
        rows: Figures by day and label.
        day: The column with the day.
        keys: The columns that make a label.
        figure: The column that a list is ordered by.

    Returns:
        Rows; ``cut`` has for each day the greatest figure of a label that was left out, ``rest`` one row for each day
        with the sums of what was left out in the columns' order.
    """
    tried = FIRST_TRIED
    kept = rows
    while kept.height > MOST_ROWS and tried >= LEAST_TRIED:
        place = pl.col(figure).rank("ordinal", descending=True).over(day)
        labels = rows.filter(place <= tried).select(keys).unique()
        kept = rows.join(labels, on=list(keys), how="semi", nulls_equal=True, maintain_order="left")
        tried //= 2
    if kept.height == rows.height:
        return rows, {}
    left = rows.join(kept.select(keys).unique(), on=list(keys), how="anti", nulls_equal=True)
    by_day = left.group_by(day, maintain_order=True)
    sums = by_day.agg(pl.col(name).sum() for name, dtype in rows.schema.items() if dtype.is_numeric())
    rest = sums.select(
        pl.col(name) if name in sums.columns else pl.lit(None, dtype).alias(name) for name, dtype in rows.schema.items()
    )
    most = by_day.agg(pl.col(figure).max())
    return kept, {"cut": _told(most.select(day, figure)), "rest": _told(rest)}


def _told(rows: pl.DataFrame) -> list[list[Any]]:
    days = [name for name, dtype in rows.schema.items() if dtype == pl.Date]
    return [list(row) for row in rows.with_columns(pl.col(days).dt.to_string("%Y-%m-%d")).iter_rows()]
