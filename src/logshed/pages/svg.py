"""Draws two plain charts as SVG: columns along time, and bars for labels. Text takes the colour around it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 860, 220
BAR, ROOM, SIDE = 24, 300, 90
MOST_BARS = 20
COLOUR = "#4080d8"
"""3:1 against white and against the dark of notebooks."""


def columns_chart(points: Sequence[tuple[float, float]], step: float, ends: Sequence[str], name: str) -> str:
    """Columns along time.

    Args:
        points: Seconds and figure, sorted.
        step: Seconds that a column stands for.
        ends: What the first and the last moment are called.
        name: What the chart shows, escaped.
    """
    if not points:
        return ""
    top = max(0.0, *(figure for _, figure in points), 0.0) or 1.0
    begin, span = points[0][0], points[-1][0] - points[0][0] + step
    width = WIDTH - SIDE
    thick = max(1.0, width * step / span * 0.85)
    plot = HEIGHT - 40
    parts = [
        f'<rect x="{SIDE + (at - begin) / span * width:.1f}" y="{10 + plot * (1 - max(0.0, figure) / top):.1f}" '
        f'width="{thick:.1f}" height="{plot * max(0.0, figure) / top:.1f}" fill="{COLOUR}"/>'
        for at, figure in points
    ]
    parts += [
        f'<line x1="{SIDE}" x2="{WIDTH}" y1="{10 + plot}" y2="{10 + plot}" stroke="currentColor" stroke-opacity=".4"/>',
        _words(SIDE - 8, 20, _short(top), "end"),
        _words(SIDE - 8, 10 + plot, "0", "end"),
        _words(SIDE, HEIGHT - 8, ends[0], "start"),
        _words(WIDTH, HEIGHT - 8, ends[1], "end"),
    ]
    return _drawing(parts, HEIGHT, name)


def labels_chart(bars: Sequence[tuple[str, float]], name: str) -> str:
    """Bars for labels, the first ones.

    Args:
        bars: Labels with their figures, in order.
        name: What the chart shows, escaped.
    """
    shown = bars[:MOST_BARS]
    top = max((figure for _, figure in shown), default=0.0) or 1.0
    width = WIDTH - ROOM - SIDE
    parts = []
    for place, (label, figure) in enumerate(shown):
        y = place * BAR
        long = max(0.0, figure) / top * width
        parts.append(_words(ROOM - 8, y + 16, label if len(label) <= 44 else f"{label[:43]}…", "end"))  # noqa: PLR2004 - fits
        parts.append(f'<rect x="{ROOM}" y="{y + 4}" width="{long:.1f}" height="{BAR - 8}" rx="2" fill="{COLOUR}"/>')
        parts.append(_words(ROOM + long + 6, y + 16, _short(figure), "start"))
    return _drawing(parts, len(shown) * BAR, name)


def _drawing(parts: Sequence[str], height: int, name: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" role="img" '
        f'aria-label="{name}" font-family="system-ui, sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def _words(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="currentColor">{escape(text)}</text>'


def _short(figure: float) -> str:
    for unit, one in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(figure) >= 10 * one:
            return f"{figure / one:.3g}{unit}"
    return f"{figure:,.4g}"
