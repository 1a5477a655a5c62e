"""Draws what changes over time in the terminal: columns of blocks, several lines as sparklines, a timeline."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from logshed.cli.cells import fitted, right, shown
from logshed.cli.charts import MOST_BARS, STEPS, sparkline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

Value = float | None
HEIGHT = 8
"""Cells from the axis to the highest column."""
WIDEST_COLUMN = 6
MOST_STEPS = 100_000
"""Steps that a line is spread over at most; rows further apart stand side by side."""
LEAST_LABELS = 10


def line(xs: Sequence[Any], ys: Sequence[Value], *, width: int = 80) -> Iterator[str]:
    """Columns of blocks over an axis, with the greatest and the least value.

    Args:
        xs: Where each value is: times, days or numbers. Steps of time without a value have no column.
        ys: The values.
        width: Cells of a line.
    """
    xs, values = spread(xs, ys)
    known = [value for value in values if value is not None]
    if not known:
        return
    low, high = min(0.0, *known), max(0.0, *known)
    scale = [shown(high), shown(low) if low < 0 else "0"]
    edge = max(map(cell_len, scale))
    columns, each = _columns(values, width - edge - 2)
    heights = [None if value is None else _eighths(value, low, high) for value in columns]
    for row in range(HEIGHT - 1, -1, -1):
        label = scale[0] if row == HEIGHT - 1 else ""
        drawn = "".join(_cell(eighths, row) for eighths in heights)
        yield f"{right(label, edge)} {'┤' if label else '│'}{drawn}".rstrip()
    yield f"{right(scale[1], edge)} ┼{'─' * len(columns)}"
    yield " " * (edge + 2) + _ends(xs[0], xs[-1], len(columns), width - edge - 2)
    yield _summary(xs, values)
    if each > 1:
        yield f"a column is the greatest of {each} values"


def lines(xs: Sequence[Any], ys: Sequence[Value], by: Sequence[object], *, width: int = 80) -> Iterator[str]:
    """A sparkline for each series, each on a scale of its own.

    Args:
        xs: Where each value is.
        ys: The values.
        by: The series that each belongs to.
        width: Cells of a line.
    """
    series: dict[object, dict[Any, Value]] = {}
    for x, y, name in zip(xs, ys, by, strict=True):
        series.setdefault(name, {})[_universal(x)] = y
    places, _ = spread(xs, ys)
    names = sorted(series, key=lambda name: -sum(value or 0 for value in series[name].values()))[:MOST_BARS]
    figures = [shown(max((value or 0 for value in series[name].values()), default=0)) for name in names]
    texts = [shown(name) for name in names]
    size, edge = min(max(map(cell_len, texts)), width // 3), max(map(cell_len, figures))
    for name, text, figure in zip(names, texts, figures, strict=True):
        drawn, _ = _columns([series[name].get(_universal(place)) for place in places], width - size - edge - 6)
        yield f"{fitted(text, size)} {sparkline(drawn)} max {right(figure, edge)}"
    room = len(_columns([None] * len(places), width - size - edge - 6)[0])
    yield f"{' ' * size} {_ends(places[0], places[-1], room, width - size - 1)}"
    if len(series) > len(names):
        yield f"… {len(series) - len(names)} more series"


def timeline(xs: Sequence[datetime | None], ys: Sequence[object], *, width: int = 80) -> Iterator[str]:
    """How dense the rows lie, then a line for each, under its day.

    Args:
        xs: When each happened.
        ys: What is told of it.
        width: Cells of a line.
    """
    times = [when for when in xs if isinstance(when, datetime)]
    if times and max(times) > min(times):
        yield from _density(times, width)
    day = None
    for when, what in list(zip(xs, ys, strict=True))[:MOST_BARS]:
        if isinstance(when, datetime) and when.date() != day:
            day = when.date()
            yield f"{day:%Y-%m-%d}"
        clock = f"{when:%H:%M:%S}" if isinstance(when, datetime) else fitted(shown(when), 8)
        yield f"  {clock} ● {fitted(shown(what), width - 13).rstrip()}"
    if len(xs) > MOST_BARS:
        yield f"… {len(xs) - MOST_BARS} more; look at a shorter time with --since and --until"


def spread(xs: Sequence[Any], ys: Sequence[Value]) -> tuple[list[Any], list[Value]]:
    """Values in the order of x, with the steps between them that have none where x is a time or a day."""
    zone = next((x.tzinfo for x in xs if isinstance(x, datetime)), None)
    known = {_universal(x): y for x, y in zip(xs, ys, strict=True) if x is not None}
    places = sorted(known)
    timed = all(isinstance(place, date) for place in places)
    gaps = [after - before for before, after in pairwise(places)] if timed else []
    if gaps and (places[-1] - places[0]) / (step := min(gaps)) <= MOST_STEPS:
        places = _steps(places, step)
    return [_local(place, zone) for place in places], [known.get(place) for place in places]


def _universal(place: Any) -> Any:
    """A time that can be subtracted: across a change of the clock times of a zone cannot."""
    return place.astimezone(UTC) if isinstance(place, datetime) and place.tzinfo else place


def _local(place: Any, zone: tzinfo | None) -> Any:
    return place.astimezone(zone) if zone is not None and isinstance(place, datetime) else place


def _steps(places: list[Any], step: timedelta) -> list[Any]:
    """The places with those between them: a day of 23 or 25 hours is one step of days too."""
    filled = [places[0]]
    for place in places[1:]:
        while place - filled[-1] > step * 1.5:
            filled.append(filled[-1] + step)
        filled.append(place)
    return filled


def _columns(values: Sequence[Value], room: int) -> tuple[list[Value], int]:
    """The values as columns of cells, and how many values a column is: the greatest of them is drawn."""
    each = max(1, math.ceil(len(values) / max(1, room)))
    if each > 1:
        parts = [values[start : start + each] for start in range(0, len(values), each)]
        return [max((value for value in part if value is not None), default=None) for part in parts], each
    size = max(1, min(WIDEST_COLUMN, room // max(1, len(values))))
    return [value for value in values for _ in range(size)], 1


def _eighths(value: float, low: float, high: float) -> int:
    share = (value - low) / (high - low) if high > low else 0
    return max(1 if value > low else 0, round(share * HEIGHT * 8))


def _cell(eighths: int | None, row: int) -> str:
    filled = min(8, (eighths or 0) - row * 8)
    return STEPS[filled - 1] if filled > 0 else " "


def _ends(first: Any, last: Any, room: int, most: int) -> str:
    """Where an axis begins and ends."""
    begin, end = _place(first), _place(last)
    if first == last:
        return begin
    space = max(room, len(begin) + len(end) + 2)
    return f"{begin}{end:>{space - len(begin)}}" if space <= most else f"{begin} … {end}"


def _summary(xs: Sequence[Any], values: Sequence[Value]) -> str:
    known = [(value, place) for place, value in zip(xs, values, strict=True) if value is not None]
    least, most = min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])
    return f"min {shown(least[0])} at {_place(least[1])}, max {shown(most[0])} at {_place(most[1])}"


def _place(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}" if (value.hour, value.minute) != (0, 0) else f"{value:%Y-%m-%d}"
    return shown(value)


def _density(times: Sequence[datetime], width: int) -> Iterator[str]:
    first, last = min(times), max(times)
    room = max(LEAST_LABELS, width)
    counts = [0] * room
    for when in times:
        counts[min(room - 1, int((when - first) / (last - first) * room))] += 1
    yield sparkline(counts).rstrip()
    yield _ends(first, last, room, room)
