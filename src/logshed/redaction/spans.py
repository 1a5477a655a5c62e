"""Replaces the spans that one pattern finds in a column of texts, and says how many in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction.checks import CHECKS
from logshed.redaction.model import CLOSE, OPEN

if TYPE_CHECKING:
    from logshed.redaction.model import Pattern
    from logshed.redaction.treatments import Done, Treatment

# Texts that hold our marks themselves: each becomes a pair that holds none, and back.
_ESCAPES = {OPEN: "\ufdd2\ufdd3", CLOSE: "\ufdd2\ufdd4", "\ufdd2": "\ufdd2\ufdd5"}
_MARKS = "[\ufdd0-\ufdd2]"


def replace(text: pl.Series, pattern: Pattern, treatment: Treatment, done: Done) -> tuple[pl.Series, pl.Series]:
    """Treat every span.

    Args:
        text: The texts.
        pattern: What finds the spans.
        treatment: What stands in their place.
        done: Tells values that are treated already.

    Returns:
        The texts and the number of spans replaced in each (Int32).
    """
    found = text.str.extract_all(pattern.regex)
    counts = found.list.len().cast(pl.Int32)
    matches = found.filter(counts > 0).explode().unique()
    accepted = _accepted(matches, pattern, treatment, done) if len(matches) else matches
    if matches.is_empty() or not accepted.any():
        return text, pl.zeros(len(text), pl.Int32, eager=True)
    refused = matches.filter(~accepted)
    if not treatment.constant:
        rows = found.list.eval(pl.element().is_in(matches.filter(accepted).implode())).list.any()
        replaced, counts = text, pl.zeros(len(text), pl.Int32, eager=True)
    else:
        replaced = text.str.replace_all(pattern.regex, pattern.template(treatment.tag))
        if refused.is_empty():
            return replaced, counts
        rows = found.list.eval(pl.element().is_in(refused.implode())).list.any()
    places = rows.fill_null(value=False).arg_true()
    judged, judged_counts = _replace_judged(text.gather(places), pattern, treatment, done)
    return patch(replaced, places, judged), patch(counts, places, judged_counts)


def patch(column: pl.Series, rows: pl.Series, values: pl.Series) -> pl.Series:
    """The column with other values in some rows."""
    places = pl.int_range(len(column), dtype=pl.UInt32, eager=True)
    places = places.scatter(rows, pl.int_range(len(column), len(column) + len(rows), dtype=pl.UInt32, eager=True))
    return pl.concat([column, values.cast(column.dtype)]).gather(places).alias(column.name)


def _accepted(matches: pl.Series, pattern: Pattern, treatment: Treatment, done: Done) -> pl.Series:
    return judge(matches.str.replace(pattern.regex, pattern.value), pattern, treatment, done)


def judge(values: pl.Series, pattern: Pattern, treatment: Treatment, done: Done) -> pl.Series:
    """Which values are such data: neither empty, treated already nor harmless, and valid where there is a check."""
    accepted = (values != "") & ~done.holds(values, treatment)
    if pattern.harmless is not None:
        accepted &= ~values.str.contains(pattern.harmless)
    if pattern.check is not None:
        accepted &= CHECKS[pattern.check](values)
    return accepted


def _replace_judged(text: pl.Series, pattern: Pattern, treatment: Treatment, done: Done) -> tuple[pl.Series, pl.Series]:
    """Span by span: mark them, cut the texts at the marks, judge the distinct values, put the pieces together."""
    escaped = bool(text.str.contains(_MARKS).any())
    marked = (_escape(text) if escaped else text).str.replace_all(pattern.regex, pattern.marked)
    pieces = (
        pl.DataFrame({"piece": marked.str.split(OPEN)})
        .with_row_index("row")
        .explode("piece")
        .select("row", pl.col("piece").str.splitn(CLOSE, 3).struct.rename_fields(["value", "quote", "rest"]))
        .unnest("piece")
    )
    values = pieces["value"].filter(pieces["rest"].is_not_null()).unique()
    accepted = values.filter(judge(values, pattern, treatment, done))
    meant = pl.DataFrame({"value": accepted, "meant": treatment.of(accepted)}).filter(
        pl.col("value") != pl.col("meant")
    )
    pieces = pieces.join(meant, on="value", how="left", maintain_order="left")
    is_span = pl.col("rest").is_not_null() & pl.col("meant").is_not_null()
    treated = (
        pieces.with_columns(is_span=is_span)
        .group_by("row", maintain_order=True)
        .agg(
            text=(
                pl.when("is_span").then(pl.col("quote") + pl.col("meant") + pl.col("quote")).otherwise("value")
                + pl.col("rest").fill_null("")
            ).str.join(),
            count=pl.col("is_span").sum().cast(pl.Int32),
        )
    )
    return (_unescape(treated["text"]) if escaped else treated["text"]), treated["count"]


def _escape(text: pl.Series) -> pl.Series:
    return text.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))


def _unescape(text: pl.Series) -> pl.Series:
    return text.str.replace_many(list(_ESCAPES.values()), list(_ESCAPES))
