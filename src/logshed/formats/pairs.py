"""Pairs of keys and values, one a row, spread to a column for each key."""

from __future__ import annotations

import polars as pl

from logshed.formats.columns import nothing

MOST_KEYS = 300
"""Different keys in a chunk, above which the rarer ones are left in the text they are from."""


def spread(
    rows: pl.Series, keys: pl.Series, values: pl.Series, height: int, *, join: str | None = None
) -> dict[str, pl.Series]:
    """A column of ``height`` values for each key, in the order in which the keys come.

    Args:
        rows: The row of each pair.
        keys: Its key; pairs without one are left out.
        values: Its value.
        height: Rows of the columns.
        join: What stands between the values of a key that a row has several times; None keeps the first.
    """
    entries = pl.DataFrame({"row": rows, "key": keys, "value": values}).drop_nulls("key")
    if entries["key"].n_unique() > MOST_KEYS:
        common = entries["key"].value_counts(sort=True)["key"].head(MOST_KEYS)
        entries = entries.filter(pl.col("key").is_in(common.implode()))
    found = {}
    for (key,), group in entries.partition_by("key", as_dict=True, include_key=False, maintain_order=True).items():
        if join is None:
            single = group.unique("row", keep="first", maintain_order=True)
        else:
            single = group.group_by("row", maintain_order=True).agg(pl.col("value").str.join(join))
        found[str(key)] = nothing(height).scatter(single["row"], single["value"])
    return found
