"""Draws templates as a table for people."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from logshed.cli import terminal
from logshed.cli.cells import fitted, right, shown
from logshed.cli.charts import sparkline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import polars as pl

HEADER = ("count", "share", "trend", "", "first seen", "last seen", "level", "template")
LEFT_OUT = ("share", "first seen")
NARROW = 120
"""Cells below which some columns are left out, or templates had no room."""
ARROWS = {"rising": "↑", "falling": "↓"}
LEAST_TEMPLATE = 20
"""Cells that a template gets even where the terminal has not so many: its line is broken then."""

MOST_LINES = 4
"""Lines that a template is broken into at most."""

_MASK = re.compile(r"<(?:\*|[A-Z]{2,8})>")
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
_LEVELS = ((17, "\x1b[31m"), (13, "\x1b[33m"))
"""Colours from a severity on: errors red, warnings yellow."""


def lines(frame: pl.DataFrame, limit: int | None, *, examples: bool = False) -> Iterator[str]:
    """The lines of the table.

    Args:
        frame: Templates, with the columns of ``logshed.patterns.summary.SUMMARY``.
        limit: Cells that a line may have, or None.
        examples: Show an example below each template.
    """
    rows = frame.to_dicts()
    narrow = limit is not None and limit < NARROW
    header = [name for name in HEADER[:-1] if not (narrow and name in LEFT_OUT)]
    cells = [[_cell(row, name, narrow=narrow) for name in header] for row in rows]
    size = [max(map(cell_len, column)) for column in zip(header, *cells, strict=True)]
    put = [right if name in ("count", "share") else fitted for name in header]
    before = sum(size) + 2 * len(size)
    room = None if limit is None else max(limit - before, LEAST_TEMPLATE)
    titles = [place(name, width) for place, name, width in zip(put, header, size, strict=True)]
    yield terminal.bold("  ".join((*titles, HEADER[-1])))
    for row, cell in zip(rows, cells, strict=True):
        shares = [place(text, width) for place, text, width in zip(put, cell, size, strict=True)]
        shares[-1] = _coloured(shares[-1], row["severity_number"])
        said, *more = _wrapped(row["template"], room)
        yield "  ".join((*shares, _dimmed(said)))
        yield from (" " * before + _dimmed(line) for line in more)
        if examples:
            yield from (" " * before + _dim(line) for line in _wrapped(row["example"], room))


def _cell(row: dict[str, Any], name: str, *, narrow: bool) -> str:
    if name == "count":
        return f"{row['count']:,}"
    if name == "share":
        return f"{row['share']:.1%}"
    if name == "trend":
        return sparkline(row["trend"] or ())
    if name == "level":
        return row["level"] or ""
    if name == "":
        return ARROWS.get(row["direction"] or "", "")
    return _time(row[name.replace(" ", "_")], "%m-%d %H:%M" if narrow else "%Y-%m-%d %H:%M")


def _coloured(level: str, severity: int | None) -> str:
    colour = next((colour for least, colour in _LEVELS if (severity or 0) >= least), "")
    return f"{colour}{level}{_PLAIN}" if colour and terminal.colours() else level


def _time(moment: datetime | None, form: str) -> str:
    return "" if moment is None else moment.strftime(form)


def _wrapped(text: str, room: int | None) -> list[str]:
    """The text as lines for a column of so many cells; of a very long one the beginning."""
    whole = shown(text)
    if room is None or cell_len(whole) <= room:
        return [whole]
    found = textwrap.wrap(whole, room, break_on_hyphens=False, max_lines=MOST_LINES, placeholder=" …")
    return [line if cell_len(line) <= room else fitted(line, room) for line in found]


def _dimmed(template: str) -> str:
    """The template with its values in the background."""
    return _MASK.sub(lambda found: _dim(found[0]), template)


def _dim(text: str) -> str:
    return f"{_DIM}{text}{_PLAIN}" if terminal.colours() else text
