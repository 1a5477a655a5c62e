"""Which lines begin a record: by a format's own pattern, by the lines before them, and never inside a key block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logshed.formats.blocks import KeyBlocks
from logshed.formats.kinds import extract
from logshed.formats.parse import without_colours
from logshed.formats.regex import OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from logshed.formats.model import Format

NO_START, BEGINS_MANY, BEGINS_ONE = 0, 1, 2
"""What a line is to the formats: no beginning, the first of a record that may go on, a record of one line."""


class Starts:
    """Tells which lines begin a record, in the order of the lines."""

    def __init__(self, forms: Sequence[Format], lookback: bytes = b"") -> None:
        self._forms = forms
        self._blocks = KeyBlocks(lookback)
        self._goes_on = False
        self._multiline = any(form.multiline for form in forms)

    @property
    def may_go_on(self) -> bool:
        """Whether the next line may belong to the last record seen."""
        return self._multiline or self._blocks.open

    def of(self, lines: pl.DataFrame) -> np.ndarray:
        """True where a line begins a record."""
        starts = self._by_format(as_written(lines))
        inside = self._blocks.inside(lines["text"], lines["offset"].to_numpy())
        return starts if inside is None else starts & ~inside

    def _by_format(self, text: pl.Series) -> np.ndarray:
        kinds = kinds_of(text, self._forms)
        known: np.ndarray = kinds != NO_START
        if len(self._forms) == 1 or not self._multiline:
            return known
        last = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
        goes_on = np.where(last >= 0, kinds[last] == BEGINS_MANY, self._goes_on)
        if len(goes_on):
            self._goes_on = bool(goes_on[-1])
        begins: np.ndarray = known | ~goes_on
        return begins


def as_written(lines: pl.DataFrame) -> pl.Series:
    """The lines' text, with backslashes single again and a replacement character for each byte that was escaped."""
    text = lines["text"]
    rows = lines["escaped"].fill_null(value=False).arg_true()
    if rows.is_empty():
        return text
    shown = text.gather(rows).str.replace_all("\\\\", "\0", literal=True)
    shown = shown.str.replace_all(r"\\x[0-9A-Fa-f]{2}", "\ufffd").str.replace_all("\0", "\\", literal=True)
    return text.clone().scatter(rows, shown)


def kinds_of(text: pl.Series, forms: Sequence[Format]) -> np.ndarray:
    """What each line is to the formats, on its own."""
    if not any(form.multiline for form in forms):
        return np.full(text.len(), BEGINS_ONE, dtype=np.int8)
    text = without_colours(text)
    kinds = np.zeros(text.len(), dtype=np.int8)
    for form in forms:
        if form.start is not None:
            kinds[text.str.contains(form.start).fill_null(value=False).to_numpy()] = BEGINS_MANY
    for form in forms:
        rest = np.flatnonzero(kinds == NO_START)
        if form.start is None and len(rest):
            taken = extract(form, text.gather(rest))[OK].to_numpy()
            kinds[rest[taken]] = BEGINS_ONE
    return kinds
