"""Groups messages that one statement of a program may have written: Drain's tree (He et al., ICWS 2017), on columns.

As there, messages are told apart by their number of tokens, then by their first token, then by how many of their tokens
are the same. What differs: it works on distinct messages in sorted order, so that neither order nor number of messages
matters; a group is led by its first message rather than by a template that changes with every message; and a place
where a group has only few words is no place of a value, or ``link is up`` and ``link is down`` were one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.patterns.tokens import MASK

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIMILAR = 0.5
"""Least share of the words of two messages that must be the same; He et al. (2017) take 0.3 to 0.5."""
FEW_WORDS = 3
"""Where so many different words stand or fewer, they are no values: states and verbs come in such numbers."""
SURE = 8
"""Where so many messages of a part or more have the same word, that word is no value, whatever other parts have."""
MOST_GROUPS = 300
"""Groups below one branch; what fits none of them is one group. Bounds the time that hostile messages take."""


def groups(long: pl.DataFrame, words: NDArray[np.bool_]) -> pl.DataFrame:
    """Group messages.

    Args:
        long: Their tokens, as ``tokens_of`` gives them, of messages in sorted order.
        words: Whether each sign is a word.

    Returns:
        One row a token, in order: ``row``, ``place``, ``token``, ``group`` (an integer) and ``scope`` (an integer: the
        messages that share it vary together at this place, though they may be in several groups).
    """
    signs = long["sign"].to_numpy()
    lengths = long.group_by("row", maintain_order=True).len()["len"].to_numpy()
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)
    branch = _branches(long, words, lengths, signs[starts])
    tree = np.zeros(len(starts), np.int64)
    order = np.argsort(branch, kind="stable")
    edges = np.flatnonzero(np.diff(branch[order])) + 1
    made = 0
    for rows in np.split(order, edges):
        if len(rows) == 1:
            tree[rows] = made
            made += 1
            continue
        places = starts[rows][:, None] + np.arange(lengths[rows[0]])
        found = _led(signs[places], words)
        tree[rows] = made + found
        made += int(found.max()) + 1
    return _parted(long.with_columns(tree=np.repeat(tree, lengths)), words)


def _branches(
    long: pl.DataFrame, words: NDArray[np.bool_], lengths: NDArray[np.uint32], first: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """The branch of each message: its number of tokens and its first token, where that is no value."""
    various = _various_first(long, words)
    leading = np.where(words[first] & ~various, first.astype(np.int64) + 1, 0)
    return lengths.astype(np.int64) * (len(words) + 1) + leading


def _various_first(long: pl.DataFrame, words: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a message begins with a value: where many others differ from it in nothing but the first word."""
    word = pl.Series(words)
    rest = (
        long.with_columns(word=word.gather(long["sign"]))
        .group_by("row", maintain_order=True)
        .agg(
            pl.col("sign").first().alias("first"),
            pl.col("word").first().alias("named"),
            pl.col("word").slice(1).any().alias("said"),
            pl.col("sign").slice(1).cast(pl.String).str.join(" ").alias("rest"),
        )
    )
    many = pl.col("first").n_unique().over("rest") > FEW_WORDS
    return rest.select(pl.col("named") & pl.col("said") & many).to_series().to_numpy()


def _led(rows: NDArray[np.uint32], words: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The group of each message of a branch: the first that is left leads those like it.

    Args:
        rows: Signs, a row a message, a column a place.
        words: Whether each sign is a word.
    """
    found = np.zeros(len(rows), np.int64)
    left = np.arange(len(rows))
    said = words[rows]
    for group in range(MOST_GROUPS):
        lead, leading = rows[left[0]], said[left[0]]
        same = (rows[left] == lead) & leading
        either = np.maximum((said[left] | leading).sum(1), 1)
        alike = same.sum(1) >= SIMILAR * either
        alike |= (rows[left] == lead).all(1)
        found[left[alike]] = group
        left = left[~alike]
        if not len(left):
            return found
    found[left] = MOST_GROUPS
    return found


def _parted(long: pl.DataFrame, words: NDArray[np.bool_]) -> pl.DataFrame:
    """Part groups by the words at places where they have few; a place that has a value, even inside a word, has not."""
    holding = long.group_by("sign").agg(pl.col("token").str.contains(MASK).any()).sort("sign")
    plain = pl.Series(words) & ~holding["token"]
    few = (
        long.select("tree", "place", "sign")
        .unique()
        .group_by("tree", "place")
        .agg(pl.len().alias("signs"), pl.col("sign").alias("each"))
        .filter(pl.col("signs").is_between(2, FEW_WORDS))
        .explode("each", empty_as_null=True, keep_nulls=True)
        .with_columns(plain=pl.col("each").replace_strict(old=pl.int_range(len(plain), eager=True), new=plain))
        .group_by("tree", "place")
        .agg(pl.col("plain").all().alias("few"))
    )
    wide = long.join(few, on=["tree", "place"], how="left", maintain_order="left")
    wide = wide.with_columns(pl.col("few").fill_null(value=False))
    parts = wide.filter("few").group_by("row").agg(pl.col("sign").cast(pl.String).str.join(" ").alias("part"))
    wide = wide.join(parts, on="row", how="left", maintain_order="left")
    wide = wide.with_columns(group=pl.struct("tree", "part").rank("dense").cast(pl.Int64))
    one = pl.col("sign").n_unique().over("group", "place") == 1
    held = pl.col("token").str.contains(MASK).all().over("group", "place")
    sure = one & (held | (pl.col("row").n_unique().over("group", "place") >= SURE))
    scope = pl.when(pl.col("few") | sure).then(pl.col("group")).otherwise(-pl.col("tree") - 1)
    return wide.select("row", "place", "token", "group", scope=scope)
