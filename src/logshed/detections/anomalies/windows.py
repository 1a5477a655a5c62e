"""Medians and means over windows of a matrix (series x buckets) in which what is unknown is NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MAD_TO_SIGMA = 1.4826
"""Median absolute deviations to standard deviations of a normal distribution: 1 / Phi^-1(3/4) (Hampel, 1974)."""


def median(values: Floats) -> Floats:
    """The median of what is known along the last axis; NaN where nothing is.

    NumPy's own ``nanmedian`` calls Python for each row of a long axis.
    """
    ordered = np.sort(values, axis=-1)  # NaN goes last
    known = np.count_nonzero(~np.isnan(values), axis=-1)
    if ordered.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    low = np.take_along_axis(ordered, np.maximum(known - 1, 0)[..., None] // 2, axis=-1)[..., 0]
    high = np.take_along_axis(ordered, np.minimum(known // 2, ordered.shape[-1] - 1)[..., None], axis=-1)[..., 0]
    return np.where(known > 0, (low + high) / 2, np.nan)


def median_and_mad(values: Floats) -> tuple[Floats, Floats]:
    """The median along the last axis, and the median of the absolute deviations from it."""
    centre = median(values)
    return centre, median(np.abs(values - centre[..., None]))


def known_share(values: Floats) -> Floats:
    """The share of what is known along the last axis, 0 to 1."""
    shape = values.shape[-1]
    return np.count_nonzero(~np.isnan(values), axis=-1) / shape if shape else np.zeros(values.shape[:-1])


def before(values: Floats, places: NDArray[np.int64], size: int, gap: int = 0) -> Floats:
    """The buckets before each of these places.

    Args:
        values: Series x buckets.
        places: Buckets to look back from.
        size: Buckets of a window.
        gap: Buckets right before the place that are left out.

    Returns:
        Series x places x size; NaN before the first bucket.
    """
    padded = np.pad(values, ((0, 0), (size + gap, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)
    return windows[:, places, :]


def moving_mean(values: Floats, left: int, right: int, least: float = 0.0) -> Floats:
    """The mean of what is known from ``left`` buckets before to ``right`` buckets after each bucket.

    Args:
        values: Series x buckets.
        left: Buckets before.
        right: Buckets after.
        least: Share of the window that must be known; else NaN.
    """
    known = ~np.isnan(values)
    sums = _moving_sum(np.where(known, values, 0.0), left, right)
    counts = _moving_sum(known.astype(float), left, right)
    enough = (counts > 0.5) & (counts >= least * (left + right + 1))  # noqa: PLR2004 - a count, but for rounding
    return np.where(enough, sums / np.maximum(counts, 1), np.nan)


def shifted(values: Floats, by: int) -> Floats:
    """Each series ``by`` buckets later; NaN where nothing was that long ago."""
    moved = np.full_like(values, np.nan)
    if by < values.shape[1]:
        moved[:, by:] = values[:, : values.shape[1] - by]
    return moved


def _moving_sum(values: Floats, left: int, right: int) -> Floats:
    sums = np.cumsum(np.pad(values, ((0, 0), (left + 1, right)), constant_values=0.0), axis=1)
    total: Floats = sums[:, left + right + 1 :] - sums[:, : -(left + right + 1)]
    return total
