"""Small helpers for columns of one value and for choosing between columns by a mask."""

from __future__ import annotations

import polars as pl

TEXT = pl.String()


def nothing(size: int, name: str = "", kind: pl.DataType = TEXT) -> pl.Series:
    """A column of nulls."""
    return pl.Series(name, [None], dtype=kind).new_from_index(0, size)


def constant(value: str, size: int, name: str = "") -> pl.Series:
    """A column of one text."""
    return pl.Series(name, [value], dtype=TEXT).new_from_index(0, size)


def where(mask: pl.Series, values: pl.Series) -> pl.Series:
    """The values where the mask is true, else null."""
    return values.zip_with(mask, nothing(values.len(), values.name, values.dtype))


def column_or_nothing(frame: pl.DataFrame, name: str) -> pl.Series:
    """A copy of the frame's text column, or nulls where it has none of that name."""
    return frame[name].clone() if name in frame.columns else nothing(frame.height, name)
