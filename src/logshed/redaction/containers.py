"""Replaces what no expression can delimit under a sensitive name, such as objects: rare, so text by text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction import keyed
from logshed.redaction.model import CLOSE, OPEN
from logshed.redaction.spans import patch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.redaction.treatments import Treatment

_TOKEN = re.compile(r'(\\*)"|[\[\]{}]')
_MARK = re.compile(rf'{OPEN}(\\*"){CLOSE}')


class Containers:
    """The arrays, objects and deeply nested strings under one rule's names."""

    def __init__(self, keys: Sequence[str], treatment: Treatment) -> None:
        self._opening = keyed.container(keys)
        self._treatment = treatment

    def replace(self, text: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The texts with a quoted tag for each container, and the number of these (Int32)."""
        rows = text.str.contains(self._opening).arg_true()
        counts = pl.zeros(len(text), pl.Int32, eager=True)
        if rows.is_empty():
            return text, counts
        plain = text.gather(rows).str.replace_many([OPEN, CLOSE], ["\ufffd", "\ufffd"])
        marked = plain.str.replace_all(self._opening, f"${{pre}}{OPEN}${{quote}}{CLOSE}${{open}}")
        done = [_replace_marked(value, self._treatment) for value in marked.to_list()]
        values = pl.Series([value for value, _ in done], dtype=pl.String)
        return patch(text, rows, values), counts.scatter(rows, [count for _, count in done])


def _replace_marked(marked: str, treatment: Treatment) -> tuple[str, int]:
    first, *others = _MARK.split(marked)  # plain text, then each mark's quote and the plain text after it
    text = first + "".join(others[1::2])
    pieces: list[str] = []
    start, place, count = len(first), 0, 0
    for quote, rest in zip(others[::2], others[1::2], strict=True):
        if start >= place:  # else it lies inside the one before
            end = _end(text, start, len(quote) - 1)
            pieces += [text[place:start], quote, treatment.of_whole(text[start:end]), quote]
            place = end
            count += 1
        start += len(rest)
    return "".join([*pieces, text[place:]]), count


def _end(text: str, start: int, run: int) -> int:
    """Where what opens at ``start`` ends, its quotes having ``run`` backslashes; the text's end if nowhere."""
    depth = 0
    in_string = False
    for token in _TOKEN.finditer(text, start):
        backslashes = token[1]
        if backslashes is None:
            depth += 0 if in_string else 1 if token[0] in "[{" else -1
        elif len(backslashes) < run:
            return token.start()  # the string around it ends: the container was cut off
        elif len(backslashes) % (2 * run + 2) == run:
            in_string = not in_string
        if depth == 0 and not in_string:
            return token.end()
    return len(text)
