"""Writes the board down: ``docs/truth.md``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.truth.board import by_format, record_share, share, tally
from tests.truth.scoring import load_map

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from tests.truth.scoring import Score

_INTRODUCTION = """<!-- Written by `make truth`; change what it measures. -->

# How right the formats are

`make truth` runs the visible cases of the shared truth files as files of their own: detected, joined, parsed, nothing
told beforehand. Each expected value is a leaf. It is *right* where the record says the same, *wrong* where the record
says something else, *unparsed* where it says nothing: a wrong value is worse than none. Where the sources' names for
fields go to is in `tests/truth/maps/`, with the reasons for what is left out. Other formats are held back.

A format's own fields, which have no column, count as right where the record holds their value as a field of its own.
The message counts as right as well where ours lacks only words that the record holds in other fields; where ours holds
the expected one and more, it counts as unparsed.
"""


def write(board: Sequence[Score], path: str) -> None:
    """Write the page."""
    sections = [_INTRODUCTION, *_summary(board)]
    for found in board:
        if len(by_format(found)) > 1:
            sections += [f"\n## {found.source}\n", *_table(by_format(found).items())]
    sections += ["\n## What is left out, and why\n", *_quirks(board)]
    Path(path).write_text("\n".join(sections) + "\n", encoding="utf-8")


def _summary(board: Iterable[Score]) -> list[str]:
    lines = _table((found.source, tally(found)) for found in board)
    lines += ["", "| source | files | with the right number of records |", "|---|--:|--:|"]
    lines += [
        f"| {found.source} | {len(found.counts)} | {record_share(found):.1f} % |" for found in board if found.counts
    ]
    return lines


def _table(rows: Iterable[tuple[str, Counter[str]]]) -> list[str]:
    lines = ["| | leaves | right | wrong | unparsed | right | wrong |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name, counter in rows:
        numbers = " | ".join(f"{counter[kind]:,}" for kind in ("right", "wrong", "unparsed"))
        shares = " | ".join(f"{share(counter, kind):.1f} %" for kind in ("right", "wrong"))
        lines.append(f"| {name} | {sum(counter.values()):,} | {numbers} | {shares} |")
    return lines


def _quirks(board: Iterable[Score]) -> list[str]:
    lines = ["| source | leaf | reason |", "|---|---|---|"]
    for found in board:
        table = load_map(found.source)
        for pattern, reason in table.ignored:
            lines.append(f"| {found.source} | `{_cell(pattern.pattern)}` | {reason} |")
        for case, leaf, value, reason in table.quirks:
            what = f"`{_cell(leaf.pattern)}`" + (f" = `{value}`" if value else "")
            where = "" if case.pattern == ".*" else f" in `{_cell(case.pattern)}`"
            lines.append(f"| {found.source} | {what}{where} | {reason} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
