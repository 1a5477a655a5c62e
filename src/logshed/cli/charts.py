"""Draws bars and lines of blocks in the terminal: what every chart there is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.cells import cell_len

from logshed.cli.cells import fitted, right, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PARTS = " ▏▎▍▌▋▊▉"
"""A cell's eighths, from the left."""
STEPS = "▁▂▃▄▅▆▇█"
"""A cell's eighths, from below."""
MOST_BARS = 400
NARROWEST_BAR = 10


def bars(
    labels: Sequence[object],
    values: Sequence[float | None],
    *,
    width: int = 80,
    figures: Sequence[str] | None = None,
) -> Iterator[str]:
    """One line a value: its label, its bar, its figure.

    Args:
        labels: What each value is of.
        values: The figures; what is missing or below zero has no bar.
        width: Cells of a line.
        figures: What stands at the end of each line instead of the value.
    """
    texts = [shown(label) for label in labels]
    told = [shown(value) for value in values] if figures is None else list(figures)
    label_width = min(max(map(cell_len, texts), default=0), width // 2)
    figure_width = max(map(cell_len, told), default=0)
    room = max(NARROWEST_BAR, width - label_width - figure_width - 2)
    top = max((value for value in values if value is not None), default=0)
    for text, value, figure in zip(texts[:MOST_BARS], values, told, strict=False):
        yield f"{fitted(text, label_width)} {bar(value or 0, top, room)} {figure}"
    if len(texts) > MOST_BARS:
        yield f"… {len(texts) - MOST_BARS} more; look at a shorter time with --since and --until"


def shares(labels: Sequence[object], values: Sequence[float | None], *, width: int = 80) -> Iterator[str]:
    """Bars with the percentage of all that each value is."""
    whole = sum(value for value in values if value is not None and value > 0)
    percents = [f"{(value or 0) * 100 / whole:.1f} %" if whole else "" for value in values]
    told = [shown(value) for value in values]
    size = max(map(cell_len, told), default=0)
    figures = [f"{right(text, size)} {percent:>7}" for text, percent in zip(told, percents, strict=True)]
    return bars(labels, values, width=width, figures=figures)


def sparkline(values: Sequence[float | None]) -> str:
    """One cell a value, as high as its share of the greatest; where there is nothing it is blank."""
    known = [value or 0 for value in values]
    top = max(known, default=0)
    return "".join(STEPS[math.ceil(value * len(STEPS) / top) - 1] if value > 0 else " " for value in known)


def bar(value: float, top: float, room: int) -> str:
    """A bar that fills its share of so many cells, to an eighth of one."""
    eighths = round(room * 8 * value / top) if top > 0 and value > 0 else 0
    return "█" * (eighths // 8) + (PARTS[eighths % 8] if eighths % 8 else "")
