"""Counts messages by their masked text, in bounded memory however many there are."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from logshed.patterns.masks import LONGEST, masked, zeroed
from logshed.patterns.tokens import STEPS, cut

BUCKETS = 16
"""Parts of the time that trends are told by: a sparkline of 16 cells."""
MOST_ROWS = 250_000
"""Rows that a tally holds: some 75 MB with messages of 100 characters."""
TEXTS_PER_ROW = 0.4
"""Of these, how many may be different texts: growing the tree of 100,000 takes ten seconds and half a gigabyte."""
PENDING_ROWS = 250_000
"""Rows that come in before they are added up."""

_TIME = pl.Datetime("us", "UTC")
_SOURCE = {
    "body": pl.String(),
    "timestamp": _TIME,
    "severity_number": pl.Int32(),
    "severity_text": pl.String(),
    "service_name": pl.String(),
}
_KEYS = ("masked", "bucket", "severity_number", "severity_text", "service_name")
_EMPTY = {
    "masked": pl.String(),
    "bucket": pl.Int32(),
    "severity_number": pl.Int32(),
    "severity_text": pl.String(),
    "service_name": pl.String(),
    "count": pl.Int64(),
    "first_seen": _TIME,
    "last_seen": _TIME,
    "example": pl.String(),
}


class Tally:
    """Messages, counted by masked text, part of the time, severity and service.

    Where that would be more than ``most`` rows or too many texts, messages are compared by fewer of their first tokens.
    How few depends on all rows together and not on the order in which they came.

    Attributes:
        messages: Messages counted so far; blank ones and nulls are none.
    """

    def __init__(self, start: datetime | None = None, end: datetime | None = None, *, most: int = MOST_ROWS) -> None:
        """Begin with nothing.

        Args:
            start: First moment of the trend; without it there is no trend.
            end: Its last moment.
            most: Rows to hold.
        """
        self.messages = 0
        self._start, self._end, self._most = start, end, most
        self._step = 0
        self._parts: list[pl.DataFrame] = [pl.DataFrame(schema=_EMPTY)]
        self._pending = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Count messages.

        Args:
            rows: ``body`` (String) and, where there are, ``timestamp`` (UTC, µs), ``severity_number``,
                ``severity_text`` and ``service_name``.
        """
        counted = _counted(self._as_source(rows))
        self.messages += int(counted["count"].sum())
        self._parts.append(_summed(counted.with_columns(cut(counted["masked"], STEPS[self._step]))))
        self._pending += counted.height
        if self._pending > PENDING_ROWS:
            self._fold()

    @property
    def frame(self) -> pl.DataFrame:
        """The counts: ``masked``, ``bucket``, severities, ``service_name``, ``count``, ``first_seen``, ``last_seen``,
        ``example`` (the least of the messages in sorted order).
        """  # noqa: D205 - the names of the columns take two lines
        self._fold()
        return self._parts[0]

    @property
    def tokens(self) -> int:
        """By how many of their first tokens messages are compared; less than 128 only where there were too many."""
        self._fold()
        return STEPS[self._step]

    def coarsened(self, tokens: int) -> pl.DataFrame:
        """The counts with messages compared by at most so many tokens."""
        frame = self.frame
        return _summed(frame.with_columns(cut(frame["masked"], min(tokens, self.tokens))))

    def _as_source(self, rows: pl.DataFrame) -> pl.DataFrame:
        given = [
            (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in _SOURCE.items()
        ]
        if self._start is None or self._end is None:
            bucket = pl.lit(None, dtype=pl.Int32)
        else:
            width = max((self._end - self._start).total_seconds() * 1e6 / BUCKETS, 1.0)
            since = (pl.col("timestamp") - self._start).dt.total_microseconds()
            bucket = (since / width).floor().clip(0, BUCKETS - 1).cast(pl.Int32)
        return rows.select(given).filter(pl.col("body").is_not_null()).with_columns(bucket=bucket)

    def _fold(self) -> None:
        if len(self._parts) == 1:
            return
        whole = pl.concat(self._parts)
        while True:
            whole = _summed(whole.with_columns(cut(whole["masked"], STEPS[self._step])))
            texts = whole["masked"].n_unique()
            if self._step == len(STEPS) - 1:
                break
            if whole.height <= self._most and texts <= max(1, self._most * TEXTS_PER_ROW):
                break
            self._step += 1
        self._parts, self._pending = [whole], 0


def tallied(rows: pl.DataFrame, *, most: int = MOST_ROWS) -> Tally:
    """A tally of records that are all in hand, with the trend over the time that they cover.

    Args:
        rows: As ``Tally.add`` takes them.
        most: Rows to hold.
    """
    times = rows["timestamp"] if "timestamp" in rows.columns else pl.Series(dtype=_TIME)
    start, end = times.min(), times.max()
    if not (isinstance(start, datetime) and isinstance(end, datetime)):
        start = end = None
    tally = Tally(start, end, most=most)
    tally.add(rows)
    return tally


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a part, counted by what their messages are once masked; each different message is masked once."""
    keys = ("zeroed", *_KEYS[1:])
    shaped = rows.with_columns(zeroed(rows["body"])).rename({"body": "example"})
    if (shaped["example"].str.len_bytes() > LONGEST).any():
        shaped = shaped.with_columns(pl.col("example").str.head(LONGEST))
    by_shape = shaped.group_by(keys).agg(
        pl.len().cast(pl.Int64).alias("count"),
        pl.col("timestamp").min().alias("first_seen"),
        pl.col("timestamp").max().alias("last_seen"),
        pl.col("example").min(),
    )
    distinct = by_shape["zeroed"].unique()
    known = pl.DataFrame([distinct, masked(distinct)])
    return by_shape.join(known, on="zeroed").filter(pl.col("masked") != "").select(list(_EMPTY))


def _summed(counts: pl.DataFrame) -> pl.DataFrame:
    return (
        counts.group_by(_KEYS)
        .agg(pl.col("count").sum(), pl.col("first_seen").min(), pl.col("last_seen").max(), pl.col("example").min())
        .select(list(_EMPTY))
    )
