"""The kinds of formats: each turns rows of text into fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.formats import apache, delimited, items, jsonlines, logfmt, regex
from logshed.formats.steps import take_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from logshed.formats.model import Format

KINDS: dict[str, Callable[[Format, pl.Series], pl.DataFrame]] = {
    "regex": regex.extract,
    "apache": apache.extract,
    "json": jsonlines.extract,
    "logfmt": logfmt.extract,
    "csv": delimited.extract,
    "w3c": delimited.extract,
    "grok": regex.extract,
    "items": items.extract,
}


def extract(form: Format, text: pl.Series) -> pl.DataFrame:
    """Fields of each row as text, one column a target, and ``_ok``; as many rows as ``text``."""
    frame = KINDS[form.kind](form, text)
    return take_steps(form, frame) if form.steps else frame
