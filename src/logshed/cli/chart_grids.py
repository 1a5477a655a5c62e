"""Draws two dimensions in the terminal: heat maps, flows, bars that begin somewhere."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from logshed.cli.cells import fitted, right, shown
from logshed.cli.charts import MOST_BARS, NARROWEST_BAR, PARTS, bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Value = float | None
SHADES = "░▒▓█"
"""Cells from the least to the greatest; what is nothing is blank."""
COLOURS = (34, 36, 33, 31)
"""Of the shades, where colours are wanted: blue, cyan, yellow, red."""
WIDEST_CELL = 4
MOST_FILLED = 60
"""Whole numbers that an axis is filled up to where some are missing."""


def heatmap(
    xs: Sequence[Any], ys: Sequence[Value], by: Sequence[Any], *, names: tuple[str, str], width: int, coloured: bool
) -> Iterator[str]:
    """A cell for each x and by, the darker the greater, with a legend.

    Args:
        xs: The column that each value stands in.
        ys: The values.
        by: The row.
        names: What the columns and the rows are.
        width: Cells of a line.
        coloured: Whether to colour the shades; they differ without colours too.
    """
    cells = {(row, column): value for column, value, row in zip(xs, ys, by, strict=True)}
    columns, rows = axis(xs), axis(by)
    labels = [_label(row) for row in rows]
    size = min(max([cell_len(names[1]) + 2, *map(cell_len, labels)]), width // 3)
    room = width - size - 1
    columns, left = columns[:room], len(columns) - room
    cell = max(1, min(WIDEST_CELL, room // len(columns)))
    top = max((value for value in cells.values() if value is not None), default=0)
    yield f"{fitted(f'{names[1]} ↓', size)} {_header(columns, cell)}  {names[0]} →"[: width + 2].rstrip()
    for row, label in zip(rows[:MOST_BARS], labels, strict=False):
        drawn = "".join(_shade(cells.get((row, column)), top, cell, coloured=coloured) for column in columns)
        yield f"{fitted(label, size)} {drawn}".rstrip()
    yield _legend(top, coloured=coloured)
    if left > 0:
        yield f"… {left} more columns; look at a shorter time, or write the answer to a file"


def flows(xs: Sequence[object], ys: Sequence[Value], by: Sequence[object], *, width: int = 80) -> Iterator[str]:
    """What flows from where to where: each source with its sum, under it its targets with bars.

    Args:
        xs: The sources.
        ys: How much flows.
        by: The targets.
        width: Cells of a line.
    """
    sources: dict[str, list[tuple[str, float]]] = {}
    for x, y, target in list(zip(xs, ys, by, strict=True))[:MOST_BARS]:
        sources.setdefault(shown(x), []).append((shown(target), y or 0))
    sums = {source: sum(size for _, size in targets) for source, targets in sources.items()}
    every = [(target, size) for targets in sources.values() for target, size in targets]
    label = min(max((cell_len(target) for target, _ in every), default=0), width // 2)
    edge = max((cell_len(shown(size)) for _, size in every), default=0)
    top = max((size for _, size in every), default=0)
    room = max(NARROWEST_BAR, width - label - edge - 9)
    for source in sorted(sources, key=lambda name: -sums[name]):
        yield f"{fitted(source, width - edge - 1).rstrip()} {shown(sums[source])}"
        for target, size in sorted(sources[source], key=lambda one: -one[1]):
            yield f"  └─▶ {fitted(target, label)} {bar(size, top, room)} {shown(size)}"
    if len(xs) > MOST_BARS:
        yield f"… {len(xs) - MOST_BARS} more flows"


def waterfall(xs: Sequence[object], ys: Sequence[Value], by: Sequence[Value], *, width: int = 80) -> Iterator[str]:
    """A bar for each x that begins where ``by`` says; what has no length is a mark.

    Args:
        xs: What each bar is of.
        ys: How long it is.
        by: Where it begins, on the same scale.
        width: Cells of a line.
    """
    begins = [begin or 0.0 for begin in by]
    first = min(begins, default=0.0)
    last = max((begin + (size or 0) for begin, size in zip(begins, ys, strict=True)), default=0.0)
    texts = [shown(x) for x in xs]
    figures = ["" if size is None else shown(size) for size in ys]
    label = min(max(map(cell_len, texts), default=0), width // 3)
    edge = max([4, *map(cell_len, figures)])
    room = max(NARROWEST_BAR, width - label - edge - 4)
    for text, begin, size, figure in list(zip(texts, begins, ys, figures, strict=True))[:MOST_BARS]:
        drawn = _placed(begin - first, size or 0, last - first, room)
        yield f"{fitted(text, label)} │{drawn}│ {right(figure, edge)}"
    ends = f"{shown(first)}{shown(last):>{room - len(shown(first))}}"
    yield f"{' ' * label}  {ends}"
    if len(texts) > MOST_BARS:
        yield f"… {len(texts) - MOST_BARS} more; ask for fewer with -p limit={MOST_BARS}"


def axis(values: Sequence[Any]) -> list[Any]:
    """The places of an axis in order; whole numbers between them are there too."""
    found = sorted({value for value in values if value is not None})
    if found and all(isinstance(value, int) for value in found) and found[-1] - found[0] < MOST_FILLED:
        found = list(range(found[0], found[-1] + 1))
    return [*found, *([None] if None in set(values) else [])]


def _placed(begin: float, size: float, span: float, room: int) -> str:
    """A bar in its place among so many cells; its end is right to an eighth of a cell."""
    scale = room / span if span > 0 else 0
    start = min(room - 1, math.floor(begin * scale))
    eighths = max(1, round(size * scale * 8))
    full = min(room - start, eighths // 8)
    part = PARTS[eighths % 8] if eighths % 8 and start + full < room else ""
    return f"{' ' * start}{'█' * full}{part}".ljust(room)


def _label(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else shown(value)


def _header(columns: Sequence[object], cell: int) -> str:
    """Labels over the columns, as many as have room."""
    labels = [_label(column) for column in columns]
    every = max(1, math.ceil((max(map(cell_len, labels)) + 1) / cell))
    return "".join(fitted(label, cell * every) for label in labels[::every])[: cell * len(columns)]


def _shade(value: Value, top: float, cell: int, *, coloured: bool) -> str:
    if value is None or value <= 0 or top <= 0:
        return " " * cell
    level = min(len(SHADES), math.ceil(value * len(SHADES) / top)) - 1
    return _painted(SHADES[level] * cell, level, coloured=coloured)


def _legend(top: float, *, coloured: bool) -> str:
    bounds = [shown(round(top * (level + 1) / len(SHADES), 2)) for level in range(len(SHADES))]
    parts = [
        f"{_painted(shade * 2, level, coloured=coloured)} to {bound}"
        for level, (shade, bound) in enumerate(zip(SHADES, bounds, strict=True))
    ]
    return f"blank: nothing, {', '.join(parts)}"


def _painted(text: str, level: int, *, coloured: bool) -> str:
    return f"\x1b[{COLOURS[level]}m{text}\x1b[0m" if coloured else text
