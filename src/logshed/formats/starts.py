"""Which lines begin a record: by a format's own pattern, by the lines before them, and never inside a key block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from logshed.formats.blocks import KeyBlocks
from logshed.formats.headers import is_header
from logshed.formats.kinds import extract
from logshed.formats.parse import without_colours
from logshed.formats.regex import OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
        self._headed = [form for form in forms if form.has_header]
        self._openers = [form.opener for form in forms if form.opener]
        last = lookback.removesuffix(b"\n").rpartition(b"\n")[2].decode("utf-8", "replace")
        self._after_opener = bool(lookback) and any(re.search(opener, last) for opener in self._openers)
        self._after_header = False

    @property
    def may_go_on(self) -> bool:
        """Whether the next line may belong to the last record seen."""
        return self._multiline or self._blocks.open or bool(self._headed)

    def key_before(self, lines: pl.DataFrame) -> str:
        """How a private key block begins that is open before the first lines; empty where none is."""
        return self._blocks.before(int(lines["offset"][0]))

    def of(self, lines: pl.DataFrame) -> np.ndarray:
        """True where a line begins a record."""
        starts = self.of_text(as_written(lines))
        inside = self._blocks.inside(lines["text"], lines["offset"].to_numpy())
        return starts if inside is None else starts & ~inside

    def of_text(self, text: pl.Series) -> np.ndarray:
        """The same by the formats alone."""
        starts = self._by_format(text)
        if not text.len():
            return starts
        if self._openers:
            opens = _any(text.str.contains(opener) for opener in self._openers)
            starts &= ~np.concatenate([[self._after_opener], opens[:-1]])
            self._after_opener = bool(opens[-1])
        if self._headed:
            marked = _any(is_header(form, text) for form in self._headed)
            starts = starts & ~np.concatenate([[self._after_header], marked[:-1]])
            self._after_header = bool(marked[-1])
        return starts

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


def _any(masks: Iterable[pl.Series]) -> np.ndarray:
    found: np.ndarray = np.logical_or.reduce([mask.fill_null(value=False).to_numpy() for mask in masks])
    return found


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
        if form.multiline:
            begins = text.str.contains(form.start or "").fill_null(value=False)
            if form.more is not None:
                begins &= ~text.str.contains(form.more).fill_null(value=False)
            kinds[begins.to_numpy()] = BEGINS_MANY
    for form in forms:
        rest = np.flatnonzero(kinds == NO_START)
        if not form.multiline and len(rest):
            taken = extract(form, text.gather(rest))[OK].to_numpy()
            kinds[rest[taken]] = BEGINS_ONE
    return kinds
