"""Durations as text with their unit: ``1.5s``, ``120 ms``, ``1h2m3.4s``, ``0:00:01.5``."""

from __future__ import annotations

import polars as pl

from logshed.formats.columns import where

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_UNITS = (
    ("d(?:ays?)?", 86_400_000.0), ("h(?:ours?|rs?)?", 3_600_000.0), ("m(?:in(?:ute)?s?)?", 60_000.0),
    ("s(?:ec(?:ond)?s?)?", 1000.0), ("(?:ms|msecs?|milliseconds?)", 1.0), ("(?:us|µs|μs|microseconds?)", 0.001),
    ("(?:ns|nanoseconds?)", 0.000001),
)  # fmt: skip
_WORDS = "^" + "".join(rf"(?:{_NUMBER} ?{unit}[ ,]*)?" for unit, _ in _UNITS) + "$"
_CLOCK = r"^(?:([0-9]+):)?([0-9]{1,2}):([0-9]{1,2}(?:[.,][0-9]+)?)$"
_CLOCK_UNITS = (3_600_000.0, 60_000.0, 1000.0)


def with_durations(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace ``duration`` by ``duration_ms``; what is no duration stays as the attribute ``duration``."""
    text = frame["duration"]
    distinct = text.unique().drop_nulls()
    milliseconds = _sum(distinct, _WORDS, [factor for _, factor in _UNITS])
    milliseconds = milliseconds.fill_null(_sum(distinct.str.replace(",", "."), _CLOCK, list(_CLOCK_UNITS)))
    written = milliseconds.round(6).cast(pl.String)
    table = pl.DataFrame({"duration": distinct, "ms": written})
    found = text.to_frame().join(table, on="duration", how="left", maintain_order="left")["ms"]
    known = frame["duration_ms"].fill_null(found) if "duration_ms" in frame.columns else found
    unread = where(found.is_null(), text).alias("@duration")
    return frame.drop("duration").with_columns(known.alias("duration_ms"), unread)


def _sum(text: pl.Series, pattern: str, factors: list[float]) -> pl.Series:
    parts = text.str.extract_groups(pattern).struct.unnest()
    named = [
        parts[name].cast(pl.Float64, strict=False) * factor for name, factor in zip(parts.columns, factors, strict=True)
    ]
    total = pl.DataFrame(named).sum_horizontal(ignore_nulls=True)
    any_part = pl.DataFrame({str(index): part.is_not_null() for index, part in enumerate(named)}).max_horizontal()
    return where(any_part.fill_null(value=False), total)
