"""Judges the rows of a detector's series: makes grids of them, piece by piece, and gives the alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.detections.anomalies.alarms import events, off_buckets
from logshed.detections.anomalies.methods import Grid
from logshed.detections.anomalies.rows import FirstSeen, Peers

if TYPE_CHECKING:
    from logshed.detections.anomalies.model import Detector, GridMethod

MOST_CELLS = 4_000_000
"""Numbers that the windows of one piece may have (32 MB a copy)."""

MOST_PLACES = 1_000
"""Buckets that are judged at a time; a longer time is cut."""

LEAD = 24
"""Buckets before the first judged one that are looked at too, so that what has begun there is seen from its start."""


def prepared(frame: pl.DataFrame, detector: Detector) -> pl.DataFrame:
    """The rows of a series' statement with ``series`` (a number) and ``place`` (the bucket's number since 1970).

    Args:
        frame: What the statement answered.
        detector: Whose statement it is.
    """
    names = ["collection", *detector.keys]
    rows = frame.with_columns(
        *(pl.col(name).cast(pl.String).fill_null("") for name in names),
        place=pl.col("bucket").dt.epoch("s").floordiv(detector.bucket),
        value=pl.col("value").cast(pl.Float64),
    ).filter(pl.col("value").is_finite())
    measured = {"exposure": "exposure"} if "exposure" in frame.columns else {}
    measured["events"] = "events" if "events" in frame.columns else "value"
    given = [pl.col(taken).cast(pl.Float64).alias(name) for name, taken in measured.items()]
    rows = rows.select(*names, "place", "value", *given).sort(*names, "place")
    return rows.with_columns(series=pl.struct(names).rle_id().cast(pl.Int64))


def alarms(rows: pl.DataFrame, detector: Detector, since: int, until: int) -> pl.DataFrame:
    """The alarms that last into [since, until).

    Args:
        rows: As ``prepared`` gives them, from the detector's history before ``since`` on.
        detector: How they are judged.
        since: First place to judge.
        until: First place not to judge.

    Returns:
        ``series``, ``first``, ``last``, ``buckets``, and of the peak ``place``, ``off``, ``value``, ``centre``,
        ``spread``.
    """
    rows = rows.filter(pl.col("place").is_between(since - reach(detector), until, closed="left"))
    if isinstance(detector.method, Peers | FirstSeen):
        lead = 0 if isinstance(detector.method, FirstSeen) else LEAD
        found = detector.method.alarms(rows, since - lead, until, detector.bucket, detector.alarm)
    else:
        found = _by_grid(rows, detector, detector.method, since, until)
    return found.filter(pl.col("last") >= since).sort("series", "first")


def reach(detector: Detector) -> int:
    """Buckets before the first judged one that a detector looks at."""
    return detector.history // detector.bucket + LEAD


def _by_grid(rows: pl.DataFrame, detector: Detector, method: GridMethod, since: int, until: int) -> pl.DataFrame:
    start = since - reach(detector)
    places = np.arange(since - LEAD, until)
    kept = rows
    if detector.alarm.direction == "high":  # what has nothing to judge cannot be high
        kept = rows.filter((pl.col("place").max() >= since - LEAD).over("series"))
    numbers = kept["series"].unique().sort().to_numpy()
    size = max(1, MOST_CELLS // (len(places) * (method.window // detector.bucket)))
    pieces = [
        _judged(kept, detector, method, numbers[at : at + size], start, places) for at in range(0, len(numbers), size)
    ]
    return events(pl.concat(pieces) if pieces else _none_off(), detector.alarm)


def _none_off() -> pl.DataFrame:
    """No bucket that is off."""
    floats = dict.fromkeys(("off", "value", "centre", "spread"), pl.Float64())
    return pl.DataFrame(schema={"series": pl.Int64(), "place": pl.Int64(), "begun": pl.Int64(), **floats})


def _judged(
    rows: pl.DataFrame, detector: Detector, method: GridMethod, numbers: np.ndarray, start: int, places: np.ndarray
) -> pl.DataFrame:
    own = rows.filter(pl.col("series").is_between(int(numbers[0]), int(numbers[-1])))
    line, column = np.searchsorted(numbers, own["series"].to_numpy()), own["place"].to_numpy() - start
    shape = (len(numbers), int(places[-1]) + 1 - start)
    blank = np.zeros(shape) if detector.fill == "zero" else np.full(shape, np.nan)
    values = blank.copy()
    values[line, column] = own["value"].to_numpy()
    exposure = None
    if "exposure" in own.columns:
        exposure = blank
        exposure[line, column] = own["exposure"].to_numpy()
    first = np.full(len(numbers), shape[1])
    np.minimum.at(first, line, column)
    values[np.arange(shape[1]) < first[:, None]] = np.nan  # before its first record nothing is known
    grid = Grid(values, detector.bucket, exposure)
    at = (places - start).astype(np.int64)
    found = off_buckets(values[:, at], method.judge(grid, at), places, detector.alarm)
    return found.with_columns(series=pl.Series(numbers[found["series"].to_numpy()], dtype=pl.Int64))
