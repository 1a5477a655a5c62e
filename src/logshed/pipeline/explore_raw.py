"""Gives records that no format took the line that they were read from: there is nothing else to show of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from logshed.search import sql

if TYPE_CHECKING:
    from logshed.pipeline.explore import Query

PLACE = ("source", "generation", "offset")
LONGEST = 2_000
"""Letters of a line; a record that is looked at alone has all."""
_DAY = timedelta(days=1)  # the table's files are one of a day, of the time at which lines were read


def with_lines(query: Query, frame: pl.DataFrame) -> pl.DataFrame:
    """Records with the column ``raw``, where some of them were not parsed, as long as lines are kept.

    Args:
        query: Runs a statement.
        frame: Records with their places.
    """
    if "parse_error" not in frame.columns:
        return frame
    odd = frame.filter(pl.col("parse_error").is_not_null())
    if "body" in frame.columns:
        odd = odd.filter(pl.col("body").is_null())
    if odd.is_empty():
        return frame
    times = odd["timestamp"].to_list()
    between = f"{sql.time(min(times) - _DAY)} AND {sql.time(max(times) + _DAY)}"
    sources = ", ".join(map(sql.literal, odd["source"].unique().to_list()))
    places = ", ".join(
        f"({sql.literal(source)}, {sql.literal(generation)}, {int(offset)})"
        for source, generation, offset in odd.select(PLACE).unique().rows()
    )
    named = ", ".join(map(sql.quoted, PLACE))
    where = f"observed_timestamp BETWEEN {between} AND source IN ({sources}) AND ({named}) IN ({places})"
    lines = query(f"SELECT {named}, substring(text, 1, {LONGEST}) AS raw FROM lines WHERE {where}").pl()
    return frame.join(lines.unique(PLACE, keep="any"), on=PLACE, how="left", maintain_order="left")
