"""How an answer is best drawn: the chart that a question's header names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from logshed.queries.header import wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

ChartKind = Literal["bar", "line", "pie", "heatmap", "histogram", "sankey", "waterfall", "timeline", "map"]

NEEDS_BY = frozenset({"heatmap", "sankey", "waterfall"})
"""Kinds that have a third column."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of an answer.

    Attributes:
        kind: ``bar``, ``line``, ``pie``, ``histogram`` (x is where a bucket begins), ``heatmap`` (a cell for each x and
            by), ``sankey`` (from x to by), ``waterfall`` (a bar for each x that begins at by), ``timeline`` (when the
            rows happened), ``map`` (x is a country's two letters).
        x: The column along the axis: labels or times.
        y: The column with the size; of a timeline, what is told of a row.
        by: Another column: the rows of a heat map, the target of a flow, where a bar begins; a series for each value
            of a line or bar chart.
    """

    kind: ChartKind
    x: str
    y: str
    by: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that tell one row from another; none where the rows are single records."""
        if self.kind in {"waterfall", "timeline"}:
            return ()
        return (self.x,) if self.by is None else (self.x, self.by)


def read(what: str, header: Mapping[str, Any], columns: Mapping[str, str]) -> Chart | None:
    """The chart that a header names; None where it names none.

    Raises:
        logshed.errors.QueryError: It is wrong.
    """
    value = header.get("chart")
    if value is None:
        return None
    if not isinstance(value, dict) or not {"kind", "x", "y"} <= set(value) <= {"kind", "x", "y", "by"}:
        raise wrong(what, "chart is wrong", "write chart = { kind = 'bar', x = 'a column', y = 'a column' }")
    if value["kind"] not in get_args(ChartKind):
        raise wrong(what, f"chart.kind is {value['kind']!r}", f"take one of {', '.join(get_args(ChartKind))}")
    if value["kind"] in NEEDS_BY and "by" not in value:
        raise wrong(what, f"chart is a {value['kind']} and has no by", "name the third column with by = '...'")
    if not {value[key] for key in ("x", "y", "by") if key in value} <= set(columns):
        raise wrong(what, "chart names a column that [columns] has not", "name one of its columns")
    return Chart(value["kind"], value["x"], value["y"], value.get("by"))
