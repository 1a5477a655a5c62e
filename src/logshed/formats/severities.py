"""Severities: the word that a log wrote, and OpenTelemetry's number for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.formats.columns import where

if TYPE_CHECKING:
    from logshed.formats.model import Format

SEVERITIES: dict[str, int] = {
    "TRACE": 1, "FINEST": 1, "FINER": 3, "VERBOSE": 1, "SILLY": 1,
    "DEBUG": 5, "FINE": 5, "CONFIG": 7, "DBG": 5, "DEBU": 5,
    "INFO": 9, "INFORMATION": 9, "INFORMATIONAL": 9, "NOTICE": 10, "SUCCESS": 9, "HTTP": 9, "LOG": 9, "INF": 9,
    "WARN": 13, "WARNING": 13, "WRN": 13,
    "ERROR": 17, "ERR": 17, "SEVERE": 17, "EROR": 17, "CRIT": 18, "CRITICAL": 18, "ALERT": 19, "DPANIC": 18,
    "FATAL": 21, "EMERG": 21, "EMERGENCY": 21, "PANIC": 21,
}  # fmt: skip
"""OpenTelemetry's severity numbers; those of syslog's words are its documented mapping."""
_TEXT, _NUMBER = "severity_text", "severity_number"
_LEAST, _MOST = 1, 24


def with_severities(frame: pl.DataFrame, form: Format) -> pl.DataFrame:
    """The frame with severities in capitals and as numbers; a number that the log has goes before the word's.

    One that OpenTelemetry does not have becomes an attribute.
    """
    if _NUMBER in frame.columns:
        given = frame[_NUMBER]
        fits = given.is_between(_LEAST, _MOST).fill_null(value=False)
        other = where(~fits, given)
        frame = frame.with_columns(where(fits, given))
        if other.null_count() < other.len():
            frame = frame.with_columns(other.cast(pl.String).alias(f"@{_NUMBER}"))
    if _TEXT not in frame.columns:
        return frame
    written = frame[_TEXT]
    words = {word: form.severities.get(word, word).strip().upper() for word in written.unique().drop_nulls().to_list()}
    known = {word: SEVERITIES.get(name) for word, name in words.items()}
    numbers = written.replace_strict(known, default=None, return_dtype=pl.Int32).alias(_NUMBER)
    if _NUMBER in frame.columns:
        numbers = frame[_NUMBER].fill_null(numbers)
    text = written.replace_strict(words, default=None, return_dtype=pl.String)
    return frame.with_columns(text.alias(_TEXT), numbers)
