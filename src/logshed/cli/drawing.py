"""Draws an answer in the terminal as its question's chart says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logshed.cli import chart_grids, chart_lines, charts
from logshed.cli.cells import is_number, shown
from logshed.errors import UsageError
from logshed.queries.chart import NEEDS_BY, Chart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from logshed.queries.chart import ChartKind

LEAST_POINTS = 2
"""Places of a line: fewer are bars."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn, and on how much room.

    Attributes:
        chart: How.
        x: Values of the chart's column x.
        y: Those of y.
        by: Those of by; empty where the chart has none.
        width: Cells of a line.
        coloured: Whether colours are wanted.
    """

    chart: Chart
    x: Sequence[Any]
    y: Sequence[Any]
    by: Sequence[Any]
    width: int
    coloured: bool

    @property
    def labels(self) -> list[str]:
        """What each value is of."""
        texts = [shown(value) for value in self.x]
        return [f"{text} · {shown(one)}" for text, one in zip(texts, self.by, strict=True)] if self.by else texts


def draw(
    chart: Chart | None,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    kind: ChartKind | None = None,
    width: int = 80,
    coloured: bool = False,
) -> Iterator[str]:
    """The lines of a chart.

    Args:
        chart: The question's; None draws its first column and its last one that holds numbers.
        columns: Names of the answer's columns.
        rows: The answer's rows.
        kind: Another kind than the question's.
        width: Cells of a line.
        coloured: Whether colours are wanted.

    Raises:
        UsageError: The kind needs a third column, and the question's chart names none.
    """
    chosen = _chosen(chart or _guessed(columns, rows), kind)
    place = {name: number for number, name in enumerate(columns)}

    def values(name: str | None) -> list[Any]:
        return [] if name is None else [row[place[name]] for row in rows]

    drawing = Drawing(chosen, values(chosen.x), values(chosen.y), values(chosen.by), width, coloured)
    return _DRAWERS[chosen.kind](drawing) if rows else iter(())


def _chosen(chart: Chart, kind: ChartKind | None) -> Chart:
    if kind is None:
        return chart
    if kind in NEEDS_BY and chart.by is None:
        raise UsageError(
            f"cannot draw a {kind}: the question's chart has two columns and a {kind} needs three; take another kind"
        )
    return Chart(kind, chart.x, chart.y, chart.by)


def _guessed(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Chart:
    numbers = [name for place, name in enumerate(columns) if any(is_number(row[place]) for row in rows)]
    return Chart("bar", columns[0], numbers[-1] if numbers else columns[-1])


def _bars(one: Drawing) -> Iterator[str]:
    return charts.bars(one.labels, _figures(one.y), width=one.width)


def _line(one: Drawing) -> Iterator[str]:
    if len({x for x in one.x if x is not None}) < LEAST_POINTS:
        return _bars(one)
    if one.by:
        return chart_lines.lines(one.x, _figures(one.y), one.by, width=one.width)
    return chart_lines.line(one.x, _figures(one.y), width=one.width)


def _shares(one: Drawing) -> Iterator[str]:
    """What has the same label is one bar: a country may have several rows."""
    sums: dict[str, float] = {}
    for label, value in zip([shown(x) for x in one.x], _figures(one.y), strict=True):
        sums[label] = sums.get(label, 0) + (value or 0)
    ordered = sorted(sums.items(), key=lambda pair: -pair[1])
    return charts.shares([label for label, _ in ordered], [value for _, value in ordered], width=one.width)


def _histogram(one: Drawing) -> Iterator[str]:
    buckets = sorted(
        ((x, y) for x, y in zip(one.x, _figures(one.y), strict=True) if x is not None), key=lambda pair: pair[0]
    )
    begins = [shown(x) for x, _ in buckets]
    labels = [f"{begin} to {end}" for begin, end in zip(begins, [*begins[1:], "…"], strict=True)]
    return charts.bars(labels, [y for _, y in buckets], width=one.width)


def _heatmap(one: Drawing) -> Iterator[str]:
    names = (one.chart.x, one.chart.by or "")
    return chart_grids.heatmap(one.x, _figures(one.y), one.by, names=names, width=one.width, coloured=one.coloured)


def _flows(one: Drawing) -> Iterator[str]:
    return chart_grids.flows(one.x, _figures(one.y), one.by, width=one.width)


def _waterfall(one: Drawing) -> Iterator[str]:
    return chart_grids.waterfall(one.x, _figures(one.y), _figures(one.by), width=one.width)


def _timeline(one: Drawing) -> Iterator[str]:
    return chart_lines.timeline(one.x, one.y, width=one.width)


def _figures(values: Sequence[Any]) -> list[Any]:
    """Numbers; what is none is missing."""
    return [value if is_number(value) and value == value else None for value in values]  # noqa: PLR0124 - NaN is not


_DRAWERS: dict[ChartKind, Callable[[Drawing], Iterator[str]]] = {
    "bar": _bars,
    "line": _line,
    "pie": _shares,
    "histogram": _histogram,
    "heatmap": _heatmap,
    "sankey": _flows,
    "waterfall": _waterfall,
    "timeline": _timeline,
    "map": _shares,
}
