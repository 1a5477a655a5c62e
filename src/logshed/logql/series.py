"""Compiles a metric query to SQL: aggregations, arithmetic and choices over series at steps of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.logql import functions, pairs, ranges
from logshed.logql.model import Aggregation, Binary, Grouping, Number, Range, Replaced, Vector
from logshed.logql.ranges import Series, Steps, column
from logshed.search.sql import literal, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.logql.model import Metric


def metric(of: Metric, steps: Steps, wanted: Sequence[str] = ()) -> Series:
    """Series at each step.

    Args:
        of: The query.
        steps: The steps.
        wanted: Labels that what is around it asks for.

    Raises:
        Mistake: Something in it is not supported.
    """
    match of:
        case Number() | Vector():
            return Series(
                f"SELECT range AS k, CAST({_figure(of.value)} AS DOUBLE) AS v FROM range({steps.last + 1})", ()
            )
        case Range():
            return _range(of, steps, wanted)
        case Aggregation():
            return _aggregated(of, steps, wanted)
        case Replaced():
            return _replaced(of, steps, wanted)
        case Binary():
            return _binary(of, steps, wanted)


def _range(of: Range, steps: Steps, wanted: Sequence[str]) -> Series:
    if of.function != "absent_over_time":
        return ranges.series(of, steps, wanted)
    there = ranges.series(of, steps, (), Grouping(()))
    equal = {one.name: one.value for one in of.log.matchers if one.operator == "=" and one.value}
    labels = "".join(f", {literal(value)} AS {column(name)}" for name, value in equal.items())
    every = f"SELECT range AS k{labels}, CAST(1 AS DOUBLE) AS v FROM range({steps.last + 1})"
    return Series(f"SELECT * FROM ({every}) WHERE k NOT IN (SELECT k FROM ({there.sql}))", tuple(equal))


def _aggregated(of: Aggregation, steps: Steps, wanted: Sequence[str]) -> Series:
    function = functions.of_series(of.function)
    grouping = of.grouping or Grouping(())
    asked = (*wanted, *grouping.names) if grouping.without or function.order else grouping.names
    inner = of.of
    if (
        isinstance(inner, Range)
        and inner.grouping is None
        and not grouping.without
        and functions.of_range(inner.function).same == of.function
    ):
        return ranges.series(inner, steps, asked, grouping)
    found = metric(inner, steps, asked)
    groups = _groups(found, grouping)
    if function.order:
        partition = ", ".join(["k", *map(column, groups)])
        order = ", ".join([f"v {function.order}", *map(column, found.labels)])
        ranked = f"row_number() OVER (PARTITION BY {partition} ORDER BY {order})"
        return Series(f"SELECT * FROM ({found.sql}) QUALIFY {ranked} <= {of.parameter}", found.labels)
    listed = "".join(f", {column(name)}" for name in groups)
    done = f"CAST({function.done} AS DOUBLE)"
    return Series(f"SELECT k{listed}, {done} AS v\nFROM ({found.sql}) GROUP BY k{listed}", groups)


def _groups(found: Series, grouping: Grouping) -> tuple[str, ...]:
    if grouping.without:
        return tuple(name for name in found.labels if name not in grouping.names)
    return tuple(name for name in grouping.names if name in found.labels)


def _replaced(of: Replaced, steps: Steps, wanted: Sequence[str]) -> Series:
    found = metric(of.of, steps, (*(name for name in wanted if name != of.target), of.source))
    source = f"coalesce({column(of.source)}, '')" if of.source in found.labels else "''"
    template = of.template.replace("\\", "\\\\")
    for place in range(10):
        template = template.replace(f"${place}", f"\\{place}").replace(f"${{{place}}}", f"\\{place}")
    matches = f"regexp_full_match({source}, {literal('(?s)' + of.expression)})"
    whole = literal(f"(?s)^(?:{of.expression})$")
    made = f"nullif(regexp_replace({source}, {whole}, {literal(template)}), '')"
    old = column(of.target) if of.target in found.labels else "NULL"
    labels = tuple(dict.fromkeys((*(name for name in found.labels if name != of.target), of.target)))
    kept = "".join(f", {column(name)}" for name in labels[:-1])
    target = f"CASE WHEN {matches} THEN {made} ELSE {old} END AS {column(of.target)}"
    return Series(f"SELECT k{kept}, {target}, v FROM ({found.sql})", labels)


def _binary(of: Binary, steps: Steps, wanted: Sequence[str]) -> Series:
    if isinstance(of.left, Number) or isinstance(of.right, Number):
        return _with_number(of, steps, wanted)
    asked = (*wanted, *(of.matching.names if of.matching else ()))
    left, right = metric(of.left, steps, asked), metric(of.right, steps, asked)
    return pairs.combined(of, left, right)


def _with_number(of: Binary, steps: Steps, wanted: Sequence[str]) -> Series:
    left, right = metric(of.left, steps, wanted), metric(of.right, steps, wanted)
    found = left if isinstance(of.right, Number) else right
    sides = {
        "l": f"({_figure(of.left.value)})" if isinstance(of.left, Number) else "v",
        "r": f"({_figure(of.right.value)})" if isinstance(of.right, Number) else "v",
    }
    labels = "".join(f", {column(name)}" for name in found.labels)
    value, condition = pairs.value(of, sides["l"], sides["r"], kept="v")
    where = f" WHERE {condition}" if condition else ""
    return Series(f"SELECT k{labels}, {value} AS v FROM ({found.sql}){where}", found.labels)


def _figure(value: float) -> str:
    text = number(value) if value == value and abs(value) != float("inf") else f"'{value}'"  # noqa: PLR0124 - NaN
    return f"CAST({text} AS DOUBLE)"


def plain(of: Metric) -> bool:
    """Whether a query is a number, without series."""
    return isinstance(of, Number) or (isinstance(of, Binary) and plain(of.left) and plain(of.right))
