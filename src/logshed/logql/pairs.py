"""Computes with two series, or with a series and a number, in SQL: which belong together, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.logql.ranges import Series, column

if TYPE_CHECKING:
    from logshed.logql.model import Binary

_ARITHMETIC = {
    "+": "{l} + {r}",
    "-": "{l} - {r}",
    "*": "{l} * {r}",
    "/": "{l} / {r}",
    "%": "fmod({l}, {r})",
    "^": "pow({l}, {r})",
}
_COMPARISONS = {"==": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_TWICE = "cannot match series one to one: several have the same labels; sum them first by the labels named in on(…)"


def value(of: Binary, left: str, right: str, *, kept: str) -> tuple[str, str]:
    """What a pair of figures becomes, and the condition under which it stays; empty where it always does."""
    if of.operator in _ARITHMETIC:
        return _ARITHMETIC[of.operator].format(l=left, r=right), ""
    compared = f"{left} {_COMPARISONS[of.operator]} {right}"
    return (f"CAST({compared} AS DOUBLE)", "") if of.flag else (kept, compared)


def combined(of: Binary, left: Series, right: Series) -> Series:
    """Two sets of series put together."""
    both = tuple(dict.fromkeys((*left.labels, *right.labels)))
    if of.matching is None:
        same = both
    elif of.matching.without:
        same = tuple(name for name in both if name not in of.matching.names)
    else:
        same = of.matching.names
    if of.operator in {"and", "or", "unless"}:
        return _chosen(of.operator, left, right, both, same)
    labels = both if of.matching is None else same
    shown = "".join(f", l.{column(name)}" if name in left.labels else f", NULL AS {column(name)}" for name in labels)
    made, condition = value(of, "l.v", "r.v", kept="l.v")
    where = f" WHERE {condition}" if condition else ""
    joined = f"({_single(left, same)}) AS l JOIN ({_single(right, same)}) AS r ON {_on(left, right, same)}"
    return Series(f"SELECT l.k{shown}, {made} AS v\nFROM {joined}{where}", labels)


def _chosen(operator: str, left: Series, right: Series, both: tuple[str, ...], same: tuple[str, ...]) -> Series:
    on = _on(left, right, same)
    if operator != "or":
        kind = "SEMI" if operator == "and" else "ANTI"
        return Series(f"SELECT l.* FROM ({left.sql}) AS l {kind} JOIN ({right.sql}) AS r ON {on}", left.labels)
    first = f"SELECT k{_all(left, both)}, v FROM ({left.sql})"
    turned = _on(right, left, same)
    rest = f"SELECT l.* FROM ({right.sql}) AS l ANTI JOIN ({left.sql}) AS r ON {turned}"
    return Series(f"{first}\nUNION ALL\nSELECT k{_all(right, both)}, v FROM ({rest})", both)


def _all(found: Series, names: tuple[str, ...]) -> str:
    return "".join(
        f", {column(name)}" if name in found.labels else f", CAST(NULL AS VARCHAR) AS {column(name)}" for name in names
    )


def _single(found: Series, same: tuple[str, ...]) -> str:
    """The series; the statement fails where two have the same labels at a step."""
    if set(found.labels) <= set(same):
        return found.sql
    keys = ", ".join(["k", *(column(name) for name in same if name in found.labels)])
    several = f"count(*) OVER (PARTITION BY {keys}) > 1"
    return f"SELECT * REPLACE (CASE WHEN {several} THEN error('{_TWICE}') ELSE v END AS v) FROM ({found.sql})"


def _on(left: Series, right: Series, same: tuple[str, ...]) -> str:
    parts = ["l.k = r.k"]
    for name in same:
        sides = [
            f"{side}.{column(name)}" if name in found.labels else "NULL" for side, found in (("l", left), ("r", right))
        ]
        if sides != ["NULL", "NULL"]:
            parts.append(f"{sides[0]} IS NOT DISTINCT FROM {sides[1]}")
    return " AND ".join(parts)
