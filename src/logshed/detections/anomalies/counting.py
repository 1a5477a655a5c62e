"""Methods for counts: tails of the Poisson and negative binomial distribution, and silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logshed.detections.anomalies import seasons, tails
from logshed.detections.anomalies.methods import Judged, enough
from logshed.detections.anomalies.windows import before

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logshed.detections.anomalies.methods import Grid
    from logshed.detections.anomalies.seasons import Season

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]
LN10 = float(np.log(10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How unlikely a count is, as powers of ten: 6 is one in a million.

    The mean is the rate of the window times the bucket's exposure and season. Counts of software come in clumps, so the
    dispersion is estimated too (moments: sum((x - mu)^2 - mu) / sum(mu^2), Cameron and Trivedi 2013, 3.3).

    Attributes:
        window: Seconds of the baseline.
        gap: Seconds before the bucket that are no part of it.
        season: The cycle by which the mean goes up and down.
        clumps: Whether the dispersion is estimated; without it the counts are taken as Poisson's.
        trim: Share of the window's most extreme buckets that is left out, so that an anomaly of yesterday hides none.
        least_mean: Least mean: what a count is taken to have been that was never seen.
        least_phi: Least dispersion.
        doubt: Counts by which the season is drawn towards none.
    """

    window: int
    gap: int
    season: Season = "none"
    clumps: bool = True
    trim: float = 0.02
    least_mean: float = 0.1
    least_phi: float = 0.0
    doubt: float = 10.0

    def judge(self, grid: Grid, places: Places) -> Judged:
        """How many powers of ten each place is off."""
        weight = self._weight(grid)
        size, gap = self.window // grid.width, self.gap // grid.width
        past, due = before(grid.values, places, size, gap), before(weight, places, size, gap)
        due = np.where(np.isnan(past), np.nan, due)
        past, due = self._trimmed(past, due)
        rate = np.nansum(past, axis=-1) / np.maximum(np.nansum(due, axis=-1), 1e-12)
        mean = np.maximum(rate[..., None] * due, 1e-12)
        spread = np.nansum((past - mean) ** 2 - mean, axis=-1) / np.maximum(np.nansum(mean**2, axis=-1), 1e-12)
        phi = np.clip(spread, self.least_phi, None) if self.clumps else np.zeros_like(rate)
        mu = np.where(enough(past), np.maximum(rate * weight[:, places], self.least_mean), np.nan)
        return Judged(powers(grid.values[:, places], mu, phi), mu, phi)

    def _weight(self, grid: Grid) -> Floats:
        if grid.exposure is not None:
            return grid.exposure
        if self.season == "none":
            return np.ones_like(grid.values)
        return seasons.ratio(grid.values, self.season, grid.width, self.doubt)

    def _trimmed(self, past: Floats, due: Floats) -> tuple[Floats, Floats]:
        """The window without its most extreme buckets, by Pearson residuals around a first guess of the rate."""
        cut = int(self.trim * past.shape[-1])
        if not cut:
            return past, due
        rate = np.nansum(past, axis=-1) / np.maximum(np.nansum(due, axis=-1), 1e-12)
        mean = np.maximum(rate[..., None] * due, 1e-12)
        extreme = np.nan_to_num(np.abs(past - mean) / np.sqrt(mean), nan=-1.0)
        line = np.partition(extreme, -cut - 1, axis=-1)[..., -cut - 1]
        keep = extreme <= line[..., None]
        return np.where(keep, past, np.nan), np.where(keep, due, np.nan)

    def bounds(self, centre: Floats, spread: Floats, line: float) -> tuple[Floats, Floats]:
        """The counts that are less than ``line`` powers of ten off."""
        mu = np.nan_to_num(centre, nan=1.0)
        return tails.lower_line(-line * LN10, mu, spread), tails.upper_line(-line * LN10, mu, spread)


def powers(x: Floats, mu: Floats, phi: Floats) -> Floats:
    """-log10 of the tail beyond each count, with the sign of its side; NaN where it is unknown.

    Within two deviations it is 0: no line lies there, and sums are longest there.
    """
    off = np.where(np.isnan(x) | np.isnan(mu), np.nan, 0.0)
    far = 2 * np.sqrt(mu + phi * mu**2)
    up, down = x - mu > far, mu - x > far
    off[up] = -tails.log_upper(x[up], mu[up], phi[up]) / LN10
    off[down] = tails.log_lower(x[down], mu[down], phi[down]) / LN10
    return off


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How many times longer than its longest silence a series has been silent.

    Attributes:
        window: Seconds of the baseline.
        least_active: Share of the window's buckets that must have had records: what writes now and then is not missed.
    """

    window: int
    least_active: float

    def judge(self, grid: Grid, places: Places) -> Judged:
        """How many longest silences each place lies in one; 0 where there are records."""
        lengths = _run_lengths(grid.values == 0)
        ended = np.where(np.roll(grid.values, -1, axis=1) > 0, lengths, 0.0)
        now = lengths[:, places]
        begun = (places + 1 - now).astype(np.int64)  # the baseline ends where the present silence begins
        size = self.window // grid.width
        longest = np.maximum(np.nanmax(_before_each(ended, begun, size), axis=-1, initial=0.0), 1.0)
        awake = np.where(np.isnan(grid.values), np.nan, grid.values > 0)
        past = _before_each(awake, begun, size)
        seen, known = np.nansum(past, axis=-1), np.count_nonzero(~np.isnan(past), axis=-1)
        regular = (seen >= self.least_active * known) & (seen >= LEAST_AWAKE)
        return Judged(np.where(regular, -now / longest, np.nan), longest, longest, seen=now, ago=np.maximum(now - 1, 0))

    def bounds(self, centre: Floats, spread: Floats, line: float) -> tuple[Floats, Floats]:
        """The buckets of silence that are still expected."""
        return np.zeros_like(centre), spread * line


LEAST_AWAKE = 24
"""Buckets with records that a service must have had before it counts as one that writes regularly."""


def _before_each(values: Floats, ends: Places, size: int) -> Floats:
    """The ``size`` buckets before each of these ends, which are a row's own: series x places x size."""
    padded = np.pad(values, ((0, 0), (size, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)
    return windows[np.arange(len(values))[:, None], ends]


def _run_lengths(true: NDArray[np.bool_]) -> Floats:
    """How many buckets each run of True has lasted at each bucket."""
    count = np.arange(1, true.shape[1] + 1, dtype=float)
    last = np.maximum.accumulate(np.where(true, 0.0, count), axis=1)
    return np.where(true, count - last, 0.0)
