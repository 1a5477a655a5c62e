"""What of a series repeats every day or every week, learnt from the past alone.

The shape at a bucket is how far the same time of earlier days or weeks lay from the level of the time around it: a
level that shifts or grows is no part of the shape. It is the median of several cycles, so that one odd day teaches
nothing.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np

from logshed.detections.anomalies.windows import moving_mean, shifted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Season = Literal["week", "day", "none"]
DAY = 86_400
CYCLES = {"week": (7 * DAY, 4, 2), "day": (DAY, 7, 3)}
"""Seconds of a cycle, cycles to look back over, and how many must be known: of fewer, one odd one makes the median."""

SMOOTH_SECONDS = 3_600
"""Buckets this near on both sides count as the same time of day: hour-of-week is what people plan by."""

LEVEL_SHARE = 0.75
"""Share of a cycle that must be known for its level; over less of it the season itself would move the level."""


def cycles(season: Season) -> tuple[Season, ...]:
    """A season and what stands in for it while the history is too short for it, best first."""
    return {"week": ("week", "day"), "day": ("day",), "none": ()}[season]  # type: ignore[return-value]


def deviations(values: Floats, season: Season, width: int) -> Floats:
    """How far each bucket, smoothed, lies from the level of the cycle around it."""
    period = CYCLES[season][0] // width
    near = SMOOTH_SECONDS // (2 * width)
    level = moving_mean(values, period // 2, period - period // 2 - 1, LEVEL_SHARE)
    return moving_mean(values, near, near) - level


def shape(values: Floats, season: Season, width: int) -> Floats:
    """The season's part of each bucket, 0 where the history is too short to know it.

    Args:
        values: Series x buckets, NaN where unknown.
        season: The longest cycle to look for.
        width: Seconds of a bucket.
    """
    found = np.full_like(values, np.nan)
    for cycle in cycles(season):
        found = np.where(np.isnan(found), _shape(values, cycle, width), found)
    return np.nan_to_num(found, nan=0.0)


def _shape(values: Floats, cycle: Season, width: int) -> Floats:
    seconds, most, least = CYCLES[cycle]
    period = seconds // width
    off = deviations(values, cycle, width)
    past = np.stack([shifted(off, period * back) for back in range(1, most + 1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all unknown is unknown
        middle: Floats = np.nanmedian(past, axis=0)
    return np.where(np.count_nonzero(~np.isnan(past), axis=0) >= least, middle, np.nan)


def ratio(values: Floats, season: Season, width: int, doubt: float) -> Floats:
    """By which factor the season lifts or lowers each bucket's count; 1 where the history is too short to know it.

    Args:
        values: Counts, series x buckets, NaN where unknown.
        season: The longest cycle to look for.
        width: Seconds of a bucket.
        doubt: Counts that are added above and below the line, so that few counts move little.
    """
    found = np.full_like(values, np.nan)
    for cycle in cycles(season):
        found = np.where(np.isnan(found), _ratio(values, cycle, width, doubt), found)
    return np.nan_to_num(found, nan=1.0)


def _ratio(values: Floats, cycle: Season, width: int, doubt: float) -> Floats:
    seconds, most, least = CYCLES[cycle]
    period, near = seconds // width, SMOOTH_SECONDS // (2 * width)
    level = moving_mean(values, period // 2, period - period // 2 - 1, LEVEL_SHARE)
    here = np.where(np.isnan(level), np.nan, moving_mean(values, near, near))
    level = np.where(np.isnan(here), np.nan, level)
    span = 2 * near + 1
    past = [(shifted(here, period * back), shifted(level, period * back)) for back in range(1, most + 1)]
    seen = np.nansum(np.stack([one for one, _ in past]), axis=0) * span
    due = np.nansum(np.stack([one for _, one in past]), axis=0) * span
    known = np.count_nonzero(~np.isnan(np.stack([one for one, _ in past])), axis=0)
    return np.where(known >= least, (seen + doubt) / (due + doubt), np.nan)
