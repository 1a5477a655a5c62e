"""Draws counts over time, one bar a step, coloured by severity; steps without records are drawn too."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from logshed.cli import terminal
from logshed.cli.cells import shown
from logshed.cli.charts import MOST_BARS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

NARROWEST = 10
_DAY = 86_400
_SIGNS = (("#", "█", "31"), ("+", "▓", "33"), (".", "░", ""))
"""Of errors, warnings and the rest: as they are drawn without colours, with them, and which colour."""


def lines(rows: Sequence[Sequence[Any]], step: int, zone: tzinfo, width: int, *, rate: bool) -> Iterator[str]:
    """One line a step of time.

    Args:
        rows: Time, count, and errors and warnings or the rate, in order.
        step: Seconds from one to the next.
        zone: The zone of the times.
        width: Cells of a line.
        rate: Whether the rows hold rates.
    """
    filled = list(_filled(rows, step))
    labels = [_label(time, step, zone) for time, _ in filled]
    figures = [_figures(row, rate=rate) for _, row in filled]
    room = max(NARROWEST, width - max(map(len, labels), default=0) - max(map(len, figures), default=0) - 2)
    top = max((row[1] for _, row in filled if row), default=0)
    for label, (_, row), figure in zip(labels, filled, figures, strict=True):
        yield f"{label} {_bar(row, top, room, rate=rate)} {figure}"
    if len(filled) == MOST_BARS:
        yield f"… more steps than {MOST_BARS}; look at a shorter time, or take a longer step with --every"


def _filled(rows: Sequence[Sequence[Any]], step: int) -> Iterator[tuple[datetime, Sequence[Any] | None]]:
    """The rows with the steps between them that have none, at most ``MOST_BARS``."""
    known = {row[0]: row for row in rows}
    if not rows:
        return
    time, last = rows[0][0], rows[-1][0]
    for _ in range(MOST_BARS):
        if time > last:
            return
        yield time, known.get(time)
        time += timedelta(seconds=step)


def _bar(row: Sequence[Any] | None, top: int, room: int, *, rate: bool) -> str:
    if row is None or not top:
        return " " * room
    count = row[1]
    errors, warnings = (0, 0) if rate else (row[2], row[3])
    cells = max(1, round(room * count / top))
    red = min(cells, -(-cells * errors // count))
    yellow = min(cells - red, -(-cells * warnings // count))
    parts = zip(_SIGNS, (red, yellow, cells - red - yellow), strict=True)
    coloured = terminal.colours()
    drawn = "".join(
        f"\x1b[{code}m{block * size}\x1b[0m" if coloured and code and size else (block if coloured else sign) * size
        for (sign, block, code), size in parts
    )
    return f"{drawn}{' ' * (room - cells)}"


def _figures(row: Sequence[Any] | None, *, rate: bool) -> str:
    if row is None:
        return "0"
    if rate:
        return f"{shown(float(row[2]))}/s"
    kinds = [f"{row[2]:,} errors"] * bool(row[2]) + [f"{row[3]:,} warnings"] * bool(row[3])
    return f"{row[1]:,}" + (f" ({', '.join(kinds)})" if kinds else "")


def _label(time: datetime, step: int, zone: tzinfo) -> str:
    own = time.astimezone(zone)
    return own.strftime("%Y-%m-%d" if step >= _DAY else "%Y-%m-%d %H:%M" if step >= 60 else "%Y-%m-%d %H:%M:%S")  # noqa: PLR2004 - a minute
