"""How one value looks in a table for people."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from logshed.cli.signs import visible

if TYPE_CHECKING:
    from collections.abc import Sequence


def shown(value: object) -> str:
    """A value as one line of text that is safe to print on a terminal."""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, dict | list | tuple):
        import orjson  # noqa: PLC0415 - most tables have no nested values

        return visible(orjson.dumps(value, default=str).decode())
    return "NULL" if value is None else visible(str(value))


def several(count: int, noun: str) -> str:
    """So many of something, ``1 collection`` or ``2 collections``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def is_number(value: object) -> bool:
    """Whether it is drawn at the right of its column."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Whether half of it says nothing."""
    return is_number(value) or isinstance(value, datetime)


def fitted(text: str, width: int) -> str:
    """The text in exactly so many terminal cells, cut with an ellipsis where it is longer."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def right(text: str, width: int) -> str:
    """The text at the right end of so many terminal cells."""
    return " " * max(0, width - cell_len(text)) + text if cell_len(text) <= width else fitted(text, width)


def widths(
    header: Sequence[str], rows: Sequence[Sequence[str]], limit: int | None, firm: Sequence[bool] = ()
) -> list[int]:
    """How wide each column is, in cells.

    Args:
        header: The columns' names.
        rows: Their texts.
        limit: Cells that a row may have, or None; the widest columns give way until it fits.
        firm: Which columns give way only when the others cannot: half a number or a time says nothing.
    """
    found = [max(map(cell_len, column), default=0) for column in zip(header, *rows, strict=True)]
    if limit is None:
        return found
    room = limit - 2 * (len(found) - 1)
    soft = [place for place in range(len(found)) if not (firm and firm[place])]
    if sum(found) > room:  # the name of a firm column may be cut, its values may not
        values = widths([""] * len(found), rows, None)
        found = [width if place in soft else max(values[place], NARROWEST) for place, width in enumerate(found)]
    return _narrowed(_narrowed(found, room, soft), room, range(len(found)))


def _narrowed(found: list[int], room: int, places: Sequence[int]) -> list[int]:
    """The widths with the widest of these places cut, as far as it takes and as it goes."""
    found = list(found)
    while sum(found) > room and max((found[place] for place in places), default=0) > NARROWEST:
        widest = max(found[place] for place in places)
        cut = [place for place in places if found[place] == widest]
        second = max((found[place] for place in places if found[place] < widest), default=NARROWEST)
        share = -(-(sum(found) - room) // len(cut))
        for place in cut:
            found[place] = max(second, widest - share, NARROWEST)
    return found


NARROWEST = 10
"""No column is cut below this many cells."""


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN is what differs from itself
        return str(value)
    if value and abs(value) < 0.001:  # noqa: PLR2004 - below it three decimals show nothing
        return f"{value:.3g}"
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _time(value: datetime) -> str:
    """A time in its own zone, with how far that is from UTC."""
    offset = f"{value:%z}"
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}" if offset else ""
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    return f"{value:%Y-%m-%d %H:%M:%S}{fraction}{zone}"
