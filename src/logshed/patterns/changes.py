"""Tells which templates are new in a time, and which have vanished from it."""

from __future__ import annotations

import polars as pl

from logshed.patterns.mining import templates_of
from logshed.patterns.summary import SUMMARY, summary
from logshed.patterns.tally import Tally, tallied


def fresh(baseline: Tally | pl.DataFrame, window: Tally | pl.DataFrame) -> pl.DataFrame:
    """Templates that occur in only one of two times.

    The templates are those of both times together: a message of the window that fits a template of the baseline is not
    new, even if the window alone would have given it another one.

    Args:
        baseline: The time before: a tally, or records as ``mine`` takes them.
        window: The time that is looked at.

    Returns:
        The columns of ``summary.SUMMARY`` after ``change`` (``new``: in the window alone, ``vanished``: in the baseline
        alone), of the time in which the template occurs; new ones first, then most frequent first. ``share`` is that of
        this time, and ``direction`` is null.
    """
    before, now = (one if isinstance(one, Tally) else tallied(one) for one in (baseline, window))
    tokens = min(before.tokens, now.tokens)
    old, young = before.coarsened(tokens), now.coarsened(tokens)
    known = templates_of(pl.concat([old["masked"], young["masked"]]))
    were, are = summary(old, known), summary(young, known)
    parts = [
        found.join(other, on="id", how="anti", maintain_order="left").select(
            pl.lit(change).alias("change"), pl.all().exclude("direction"), pl.lit(None, pl.String).alias("direction")
        )
        for change, found, other in (("new", are, were), ("vanished", were, are))
    ]
    return pl.concat(parts).select("change", *SUMMARY)
