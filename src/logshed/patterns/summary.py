"""Says of each template how often it occurred, when, how its number changed, and with which level."""

from __future__ import annotations

import polars as pl

from logshed.patterns.tally import BUCKETS

CLEAR = 3.0
"""Standard deviations by which the halves must differ."""
MUCH = 1.5
"""Times by which they must differ: of many messages even a small difference is no chance, and yet no trend."""
MOST_SERVICES = 5
"""Services that are named."""

SUMMARY: dict[str, str] = {
    "id": "the template's id, the same wherever its text is the same",
    "template": "the message with values taken out",
    "count": "messages",
    "share": "share of all messages that were looked at, 0 to 1",
    "trend": f"messages in each of {BUCKETS} equal parts of the time",
    "direction": "rising, falling or steady; null where the time has no length",
    "first_seen": "when the first was written",
    "last_seen": "when the last was written",
    "level": "the severity most of them have; the worst where several are as many",
    "severity_number": "the same as a number",
    "services": f"the services that wrote most of them, at most {MOST_SERVICES}",
    "example": "the first of the messages in sorted order",
}
"""The columns of a summary and their meaning."""


def summary(counts: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """One row a template, most frequent first, with the columns of ``SUMMARY``.

    Args:
        counts: A tally's frame.
        known: ``masked``, ``id`` and ``template`` of every text in it, as ``templates_of`` gives them.
    """
    rows = counts.join(known, on="masked")
    found = rows.group_by("id").agg(
        pl.col("template").first(),
        pl.col("count").sum(),
        pl.col("first_seen").min(),
        pl.col("last_seen").max(),
        pl.col("example").min(),
    )
    found = found.join(_levels(rows), on="id", how="left").join(_services(rows), on="id", how="left")
    found = found.join(_trends(rows), on="id", how="left")
    total = max(counts["count"].sum(), 1)
    return (
        found.with_columns(share=pl.col("count") / total, services=pl.col("services").fill_null([]))
        .select(list(SUMMARY))
        .sort(["count", "template"], descending=[True, False])
    )


def _levels(rows: pl.DataFrame) -> pl.DataFrame:
    """The severity that most messages of a template have."""
    each = rows.group_by("id", "severity_number", "severity_text").agg(pl.col("count").sum())
    each = each.sort(["count", "severity_number", "severity_text"], descending=True, nulls_last=True)
    return each.group_by("id").agg(pl.col("severity_text").first().alias("level"), pl.col("severity_number").first())


def _services(rows: pl.DataFrame) -> pl.DataFrame:
    each = rows.drop_nulls("service_name").group_by("id", "service_name").agg(pl.col("count").sum())
    each = each.sort(["count", "service_name"], descending=[True, False])
    return each.group_by("id", maintain_order=True).agg(pl.col("service_name").head(MOST_SERVICES).alias("services"))


def _trends(rows: pl.DataFrame) -> pl.DataFrame:
    """How many messages each part of the time has, and whether the second half has clearly more than the first.

    Of two Poisson counts a and b with the same mean, (b - a) / sqrt(a + b) is about normal (Przyborowski and Wilenski,
    Biometrika 31, 1940, by the normal approximation of their conditional test).
    """
    timed = rows.drop_nulls("bucket")
    parts = [
        pl.col("count").filter(pl.col("bucket") == part).sum().cast(pl.Int64).alias(f"part_{part}")
        for part in range(BUCKETS)
    ]
    each = timed.group_by("id").agg(parts).select("id", trend=pl.concat_list(pl.col("^part_.*$")))
    before = pl.col("trend").list.head(BUCKETS // 2).list.sum()
    after = pl.col("trend").list.tail(BUCKETS // 2).list.sum()
    apart = (after - before) / (after + before).sqrt()
    direction = (
        pl.when((apart >= CLEAR) & (after >= MUCH * before))
        .then(pl.lit("rising"))
        .when((apart <= -CLEAR) & (before >= MUCH * after))
        .then(pl.lit("falling"))
        .otherwise(pl.lit("steady"))
    )
    return each.with_columns(direction=direction)
