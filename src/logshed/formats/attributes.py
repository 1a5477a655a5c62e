"""The attributes map, built by one gather over the columns that go into it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

MAP = pl.Map(pl.String(), pl.String())


def build(columns: list[pl.Series], height: int) -> pl.Series:
    """A map series from sparse text columns: each one's name is the key, its nulls are left out.

    Args:
        columns: String series of equal length; their names are the keys.
        height: Rows.

    Returns:
        ``attributes``, null where a row has none.
    """
    filled = [column for column in columns if column.null_count() < height]
    if not filled:
        return pl.Series("attributes", [None], dtype=MAP).new_from_index(0, height)
    rows = [column.is_not_null().arg_true().to_numpy() for column in filled]
    counts = np.bincount(np.concatenate(rows), minlength=height)
    offsets = np.zeros(height + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    total = int(offsets[-1])
    place = np.empty(total, dtype=np.uint32)
    codes = np.empty(total, dtype=np.uint32)
    cursor = offsets[:-1].copy()
    start = 0
    for code, wanted in enumerate(rows):
        where = cursor[wanted]
        place[where] = np.arange(start, start + len(wanted), dtype=np.uint32)
        codes[where] = code
        cursor[wanted] += 1
        start += len(wanted)
    values = pl.concat([column.drop_nulls().rename("v") for column in filled]).gather(place)
    keys = pl.Series([column.name for column in filled]).gather(codes)
    array = pa.MapArray.from_arrays(
        pa.array(offsets, type=pa.int32(), mask=np.append(counts == 0, False)),
        _large(keys),
        _large(values),
    )
    built = pl.from_arrow(array)
    assert isinstance(built, pl.Series)  # noqa: S101 - an array becomes a series
    return built.alias("attributes")


def _large(text: pl.Series) -> pa.Array:
    array = text.to_arrow()
    return array if array.type == pa.large_string() else array.cast(pa.large_string())
