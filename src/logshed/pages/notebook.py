"""Shows an answer in a notebook: a chart as SVG and a table as HTML, without a script; values are only ever text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from logshed.pages.svg import columns_chart, labels_chart

if TYPE_CHECKING:
    import polars as pl

    from logshed.queries import Chart

MOST_ROWS = 50
LONGEST = 200
NOTHING = "\N{EN DASH}"
"""What stands for a missing value."""
_TABLE = "border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums"
_CELL = "padding:3px 10px;border-bottom:1px solid rgba(128,128,128,.35);vertical-align:top"


def html(rows: pl.DataFrame, chart: Chart | None = None, title: str = "") -> str:
    """An answer as HTML: its chart where it has one, and its first rows.

    Args:
        rows: The answer.
        chart: How to draw it.
        title: What stands above it.
    """
    head = f"<strong>{escape(title)}</strong>" if title else ""
    drawn = f'<div style="max-width:860px">{svg(rows, chart, title)}</div>' if chart is not None and rows.height else ""
    return f"<div>{head}{drawn}{table(rows)}</div>"


def table(rows: pl.DataFrame) -> str:
    """The first rows as an HTML table, and how many there are."""
    numeric = [dtype.is_numeric() for dtype in rows.dtypes]
    head = "".join(_cell("th", name, right) for name, right in zip(rows.columns, numeric, strict=True))
    body = "".join(
        f"<tr>{''.join(_cell('td', _text(value), right) for value, right in zip(row, numeric, strict=True))}</tr>"
        for row in rows.head(MOST_ROWS).iter_rows()
    )
    more = f", the first {MOST_ROWS} are shown" if rows.height > MOST_ROWS else ""
    count = f"{rows.height:,} {'row' if rows.height == 1 else 'rows'}{more}"
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><small>{count}</small>'


def svg(rows: pl.DataFrame, chart: Chart, title: str = "") -> str:
    """A chart of an answer as SVG: columns over time, else bars with the greatest first."""
    xs = rows[chart.x].to_list()
    ys = [1] * len(xs) if chart.kind == "timeline" else rows[chart.y].to_list()
    bys = rows[chart.by].to_list() if chart.by else [None] * len(xs)
    name = escape(f"{title or chart.y}: {chart.y} by {chart.x}")
    pairs = [(x, by, float(y)) for x, by, y in zip(xs, bys, ys, strict=True) if isinstance(y, int | float) and y == y]  # noqa: PLR0124 - NaN
    if all(isinstance(x, date) for x, _, _ in pairs):
        sums: dict[float, float] = {}
        for x, _, y in pairs:
            sums[_seconds(x)] = sums.get(_seconds(x), 0) + y
        points = sorted(sums.items())
        step = min((after - before for (before, _), (after, _) in pairwise(points)), default=3600)
        ends = [
            _text(x) for x in (min((x for x, _, _ in pairs), default=""), max((x for x, _, _ in pairs), default=""))
        ]
        return columns_chart(points, step, ends, name)
    labels = [" · ".join(_text(one) for one in ((x, by) if chart.by else (x,))) for x, by, _ in pairs]
    return labels_chart(sorted(zip(labels, (y for _, _, y in pairs), strict=True), key=lambda one: -one[1]), name)


def _seconds(when: Any) -> float:
    if isinstance(when, datetime):
        return when.timestamp()
    return datetime(when.year, when.month, when.day, tzinfo=UTC).timestamp()


def _text(value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"  # noqa: PLR2004 - a million
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _cell(kind: str, text: str, right: bool) -> str:
    side = "right;white-space:nowrap" if right else "left"
    return f'<{kind} style="{_CELL};text-align:{side}">{escape(text)}</{kind}>'
