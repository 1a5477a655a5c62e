"""Draws rows as a table for people, line by line as they come."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from logshed.cli import terminal
from logshed.cli.cells import NARROWEST, fitted, is_number, is_whole, right, shown, widths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

SAMPLE_ROWS = 1_000
"""Rows that decide how wide the columns are; later ones are cut to it on a terminal and stand out elsewhere."""


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], limit: int | None = None) -> Iterator[str]:
    """The lines of a table.

    Args:
        columns: The header.
        rows: Their values.
        limit: Cells that a line may have, or None; where the columns cannot fit, each row is a block of its own.
    """
    if limit is not None and len(columns) * (NARROWEST + 2) > limit + NARROWEST:
        yield from _blocks(columns, rows)
        return
    rest = iter(rows)
    sample = list(itertools.islice(rest, SAMPLE_ROWS))
    text = [[shown(value) for value in row] for row in sample]
    size = widths(columns, text, limit, [_holds(sample, place, is_whole) for place in range(len(columns))])
    put = [right if _holds(sample, place, is_number) else fitted for place in range(len(columns))]
    header = "  ".join(place(name, width) for name, width, place in zip(columns, size, put, strict=True)).rstrip()
    yield header if limit is None else terminal.bold(header)
    yield "  ".join("─" * width for width in size)
    for row in itertools.chain(text, ([shown(value) for value in row] for row in rest)):
        fit = size if limit is not None else [max(pair) for pair in zip(size, map(cell_len, row), strict=True)]
        yield "  ".join(place(cell, width) for cell, width, place in zip(row, fit, put, strict=True)).rstrip()


def markdown(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(shown(value).replace("|", "\\|") for value in row) + " |"


def _holds(rows: Sequence[Sequence[Any]], place: int, what: Callable[[object], bool]) -> bool:
    values = [row[place] for row in rows if row[place] is not None]
    return bool(values) and all(what(value) for value in values)


def _blocks(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """One block a row; what is NULL is left out, or wide rows would be mostly that."""
    size = max(map(len, columns))
    for number, row in enumerate(rows, start=1):
        yield terminal.bold(f"── row {number} ──")
        for name, value in zip(columns, row, strict=True):
            if value is not None:
                yield f"{name:<{size}}  {shown(value)}"
