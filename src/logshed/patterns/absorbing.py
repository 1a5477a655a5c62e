"""Lets templates with values take in the rarer ones that they fit: lists of a length that came up too seldom."""

from __future__ import annotations

import polars as pl

from logshed.patterns.tokens import ANY, MASK
from logshed.patterns.tree import FEW_WORDS

LEAST_WORDS = 2
"""Words that a template must have to take in words: ``error: <*>`` would take in every error. Values it may take in."""
MOST_COMPARISONS = 20_000_000
"""Templates tried on templates: some seconds at most, whatever comes."""

_WORD = r"(?:^| )[^ ]*\p{L}[^ ]*"
_TOKEN, _VALUE = r"[^ ]+", r"[^ ]*[<=][^ ]*"


def absorbed(said: pl.DataFrame) -> pl.DataFrame:
    """The groups with the key of the template that takes them in, where one does.

    Args:
        said: ``key`` (a template without kinds of values), ``tokens`` (places of the group's messages) and
            ``messages`` (how many distinct ones it has).
    """
    keys = said.group_by("key").agg(pl.col("messages").sum(), pl.col("tokens").n_unique().alias("lengths"))
    keys = keys.sort(["messages", "key"], descending=[True, False])
    said_words = pl.col("key").str.replace_all(MASK, "").str.count_matches(_WORD)
    takers = keys.with_columns(words=said_words).filter(
        pl.col("key").str.contains(ANY, literal=True) & (pl.col("words") > 0) & (pl.col("messages") > FEW_WORDS)
    )
    into: dict[str, str] = {}
    for key, messages, lengths, words in takers.head(MOST_COMPARISONS // max(keys.height, 1)).iter_rows():
        if key in into:
            continue
        pattern = _pattern(key, _TOKEN if words >= LEAST_WORDS else _VALUE, many=lengths > 1)
        fits = keys.filter((pl.col("messages") < messages) & pl.col("key").str.contains(pattern))["key"]
        into |= dict.fromkeys(fits.to_list(), key)
        keys = keys.filter(~pl.col("key").is_in(fits.implode()))
    if not into:
        return said
    return said.with_columns(pl.col("key").replace(into))


def _pattern(key: str, value: str, *, many: bool) -> str:
    """What fits a template: each of its values is one token, or several where it has been seen in several lengths."""
    values = f"{value}(?: {value})*" if many else value
    return f"^{values.join(map(pl.escape_regex, key.split(ANY)))}$"
