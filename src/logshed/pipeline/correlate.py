"""Counts what rules found: how often, how many different values, in which order, or in a bucket that leaks.

Every condition is a window over the hits of one group, ordered by time; a hit at which it holds *fires*.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.detections.model import Bucket, Correlation, Rule

_OPERATORS: dict[str, Callable[[pl.Expr, float], pl.Expr]] = {
    "gte": operator.ge,
    "gt": operator.gt,
    "lte": operator.le,
    "lt": operator.lt,
    "eq": operator.eq,
    "neq": operator.ne,
}


def correlate(rule: Rule, hits: pl.DataFrame) -> pl.DataFrame:
    """The hits of a correlation's rules with what became of each.

    Args:
        rule: The correlation.
        hits: Hits of its rules (``rule``, ``timestamp``, ``collection`` and its fields), of any time, in any order.

    Returns:
        The hits that count, ordered by group and time, with ``group`` (what they have in common, Utf8) and ``fires``
        (Boolean).
    """
    asked = rule.correlation
    if asked is None or hits.is_empty():
        return hits.clear().with_columns(group=pl.lit(None, pl.String), fires=pl.lit(None, pl.Boolean))
    keys = ["collection", *asked.group_by]
    hits = hits.filter(pl.col("rule").is_in(list(asked.rules)) & pl.all_horizontal(pl.col(keys).is_not_null()))
    group = pl.concat_str([pl.col(key).cast(pl.String) for key in keys], separator="\x1f")
    hits = hits.with_columns(group=group).sort("group", "timestamp", maintain_order=True)
    if asked.bucket is not None:
        return _leaky(hits, asked.bucket)
    if asked.kind == "temporal_ordered":
        return _ordered(hits, asked)
    figure = _figure(asked).rolling("timestamp", period=_span(asked.timespan_s)).over("group")
    hits = hits.with_columns(figure=figure)
    holds = _OPERATORS[asked.op](pl.col("figure"), asked.count).fill_null(value=False)
    return hits.with_columns(fires=holds).drop("figure")


def _span(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _figure(asked: Correlation) -> pl.Expr:
    """What is compared: of the hits in the timespan up to and with this one."""
    number = pl.col(asked.value).cast(pl.Float64, strict=False) if asked.value else pl.lit(0.0)
    match asked.kind:
        case "value_count":
            return pl.col(asked.value).n_unique()
        case "temporal":
            return pl.col("rule").n_unique()
        case "value_sum":
            return number.sum()
        case "value_avg":
            return number.mean()
        case "value_percentile":
            return number.quantile(asked.percentile / 100)
    return pl.len()


def _ordered(hits: pl.DataFrame, asked: Correlation) -> pl.DataFrame:
    """Rules in their order within the timespan: each step keeps the latest beginning that leads to it."""
    beginning = pl.when(pl.col("rule") == asked.rules[0]).then(pl.col("timestamp"))
    hits = hits.with_columns(begun=beginning)
    for name in asked.rules[1:]:
        before = pl.col("begun").cum_max().over("group").shift(1).over("group")
        reached = (pl.col("rule") == name) & (pl.col("timestamp") - before <= pl.duration(seconds=asked.timespan_s))
        hits = hits.with_columns(begun=pl.when(reached).then(before))
    return hits.with_columns(fires=pl.col("begun").is_not_null()).drop("begun")


def _leaky(hits: pl.DataFrame, bucket: Bucket) -> pl.DataFrame:
    """The bucket's level after each event, by Lindley's recursion written out as a running maximum.

    level(i) = max over j <= i of (i - j + 1 - (t(i) - t(j)) / leak) = 1 - slack(i) + max of slack so far, where slack
    is what has leaked less what has come. It overflows above the capacity, as CrowdSec's buckets do on the event after
    the ones that it holds. A value counts again once it has leaked out.
    """
    if bucket.distinct:
        last = pl.col("timestamp").shift(1).over("group", bucket.distinct)
        kept = pl.duration(milliseconds=round(bucket.capacity * bucket.leak_s * 1000))
        again = (pl.col("timestamp") - last) <= kept
        hits = hits.filter(~again.fill_null(value=False) & pl.col(bucket.distinct).is_not_null())
    seconds = pl.col("timestamp").dt.epoch("us") / 1e6
    since = (seconds - seconds.first().over("group")) / bucket.leak_s
    hits = hits.with_columns(slack=since - pl.int_range(pl.len()).over("group"))
    level = 1 - pl.col("slack") + pl.col("slack").cum_max().over("group")
    return hits.with_columns(fires=level > bucket.capacity).drop("slack")
