"""Records as JSON without what is null: most rows of a wide table are mostly that."""

from __future__ import annotations

import polars as pl

_NULLS = r',"[A-Za-z0-9_]+":(?:null|\{\})'
_FIRST_NULL = r'^\{"[A-Za-z0-9_]+":(?:null|\{\}),?'
"""A column without a value in a line of JSON. Inside a text value such quotes are escaped, so it cannot match there."""


def documents(frame: pl.DataFrame) -> pl.Series:
    """Each row as a line of JSON without what is null."""
    filled = [column.name for column in frame if column.null_count() < frame.height]
    if not filled:
        return pl.repeat("{}", frame.height, dtype=pl.String, eager=True)
    text = pl.struct(filled).struct.json_encode()
    return frame.select(text.str.replace_all(_NULLS, "").str.replace(_FIRST_NULL, "{")).to_series()


def ndjson(frame: pl.DataFrame) -> bytes:
    """Rows as lines of JSON without what is null."""
    return "".join(f"{line}\n" for line in documents(frame)).encode()
