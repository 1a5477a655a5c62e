"""Finds the templates of messages."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from logshed.patterns import text, tree
from logshed.patterns.masks import masked, zeroed
from logshed.patterns.summary import summary
from logshed.patterns.tally import tallied
from logshed.patterns.tokens import STEPS, cut, tokens_of

WHOLE = 2**31
"""Rows that are held where all records are in hand anyway: all."""


@dataclass(frozen=True, slots=True)
class Mined:
    """The templates of a frame of records.

    Attributes:
        templates: One row a template, most frequent first, with the columns of ``summary.SUMMARY``.
        ids: The ``id`` of each record's template, in the records' order; null where the body is null or blank.
    """

    templates: pl.DataFrame
    ids: pl.Series


def mine(rows: pl.DataFrame) -> Mined:
    """Find the templates of records that are all in hand.

    The same records give the same templates, in whatever order they stand.

    Args:
        rows: ``body`` (String) and, where there are, ``timestamp`` (UTC, µs), ``severity_number``, ``severity_text``
            and ``service_name``.
    """
    counts = tallied(rows, most=WHOLE).frame
    known = templates_of(counts["masked"])
    shapes = zeroed(rows["body"]).to_frame()
    distinct = shapes["zeroed"].drop_nulls().unique()
    by_shape = pl.DataFrame([distinct, cut(masked(distinct), STEPS[0])]).join(known, on="masked")
    ids = shapes.join(by_shape, on="zeroed", how="left", maintain_order="left")["id"]
    return Mined(summary(counts, known), ids)


def templates_of(texts: pl.Series) -> pl.DataFrame:
    """The template of each masked message. Neither their order nor how often one occurs matters.

    Args:
        texts: What ``masked`` made of messages, cut to ``STEPS[0]`` tokens; blank ones and nulls have no template.

    Returns:
        One row a distinct text: ``masked``, ``id`` and ``template``.
    """
    distinct = texts.rename("masked").drop_nulls().unique().sort()
    distinct = distinct.filter(distinct != "")
    if not len(distinct):
        return pl.DataFrame(schema={"masked": pl.String, "id": pl.String, "template": pl.String})
    return text.written(tree.groups(*tokens_of(distinct))).insert_column(0, distinct)
