"""Cuts masked messages into tokens, and says which tokens are held to be the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ANY = "<*>"
"""What stands in a template for a value of no one kind, as in He et al. (2017)."""
MASK = r"<(?:\*|[A-Z]{2,8})>"
STEPS = (128, 32, 8, 3, 1, 0)
"""How many tokens of a message are compared: the next fewer ones where there are too many distinct messages."""

_FIELD = r"=.*"
_LETTER = r"\p{L}"


def cut(texts: pl.Series, tokens: int) -> pl.Series:
    """The texts with what follows their first tokens as one value.

    Args:
        texts: Masked messages.
        tokens: How many stay.
    """
    if not tokens:
        return pl.repeat(ANY, len(texts), dtype=pl.String, eager=True).rename(texts.name)
    return texts.str.replace(rf"^((?:[^ ]+ ){{{tokens}}}).*$", f"${{1}}{ANY}")


def tokens_of(texts: pl.Series) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
    """The tokens of messages.

    Two tokens have the same sign if they differ only in the kind of their values, or behind an equals sign.

    Args:
        texts: Masked messages, none empty.

    Returns:
        One row a token, in order: ``row`` (of the message), ``place`` (from 0), ``token`` and ``sign`` (an integer);
        and for each sign whether it is a word: whether letters stay where values are taken out.
    """
    long = (
        texts.rename("token")
        .to_frame()
        .with_row_index("row")
        .with_columns(pl.col("token").str.split(" "))
        .explode("token", empty_as_null=True, keep_nulls=True)
        .with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt32).over("row"))
    )
    distinct = long.select(pl.col("token").unique().sort()).with_columns(
        text=pl.col("token").str.replace_all(MASK, ANY).str.replace(_FIELD, "=")
    )
    signs = distinct.select(pl.col("text").unique().sort()).with_row_index("sign")
    words = signs["text"].str.replace_all(MASK, "").str.contains(_LETTER).to_numpy()
    known = distinct.join(signs, on="text").select("token", "sign")
    return long.join(known, on="token", maintain_order="left").select("row", "place", "token", "sign"), words
