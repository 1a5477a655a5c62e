"""The methods that say of each bucket of a series what was expected, and how far off it is.

Each takes a grid and the places to judge and gives a ``Judged``. It looks at nothing after a place, and leaves a few
buckets right before it out of the baseline, so that what has just begun does not explain itself away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from logshed.detections.anomalies import seasons
from logshed.detections.anomalies.windows import MAD_TO_SIGMA, before, known_share, median, median_and_mad, moving_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logshed.detections.anomalies.seasons import Season

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

Scale = Literal["log", "root", "none"]
LEAST_KNOWN = 12
"""Known buckets that a baseline needs: the deviation of 1.4826 MAD is 1.17 / sqrt(n) of it, a third at 12."""


OWN_LEAST = 0.8
"""Least share of the overall deviation that an hour of its own may have: four weeks are few samples, and an estimate
that is low by chance alarms (measured by ``benchmarks/anomalies.py``: five times the false alarms at 0.5)."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Series of equal buckets side by side.

    Attributes:
        values: Series x buckets; NaN where unknown.
        exposure: What the values are out of, such as all requests; None where they are out of nothing.
        width: Seconds of a bucket.
    """

    values: Floats
    width: int
    exposure: Floats | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a method says of the places, each series x places; NaN where it cannot tell.

    Attributes:
        off: How far off, on the method's own scale: standard deviations, powers of ten, lengths; above 0 is upwards.
        centre: The expected value.
        spread: What the method's ``bounds`` needs to tell the expected range.
        seen: What is told of a place instead of its value; None is the value.
        ago: Buckets ago that what is seen there began; None is at the place itself.
    """

    off: Floats
    centre: Floats
    spread: Floats
    seen: Floats | None = None
    ago: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustZ:
    """Standard deviations from the median, both robust: (x - median) / (1.4826 MAD), Iglewicz and Hoaglin (1993).

    Attributes:
        window: Seconds of the baseline.
        gap: Seconds before the bucket that are no part of it.
        season: The cycle that is taken off first.
        scale: ``log`` (log(1 + x): ratios count), ``root`` (2 sqrt(x + 3/8), Anscombe 1948: a Poisson count has
            deviation 1), or ``none``.
        floor: Least deviation on that scale, so that a series that never moves does not alarm at its first step.
    """

    window: int
    gap: int
    season: Season = "none"
    scale: Scale = "log"
    floor: float

    def judge(self, grid: Grid, places: Places) -> Judged:
        """How many deviations each place is off."""
        y = forward(grid.values, self.scale)
        part = seasons.shape(y, self.season, grid.width)
        past = before(y - part, places, self.window // grid.width, self.gap // grid.width)
        centre, mad = median_and_mad(past)
        centre = np.where(enough(past), centre, np.nan) + part[:, places]
        sigma = np.maximum(MAD_TO_SIGMA * mad, self.floor)
        return Judged((y[:, places] - centre) / sigma, backward(centre, self.scale), sigma)

    def bounds(self, centre: Floats, spread: Floats, line: float) -> tuple[Floats, Floats]:
        """The range inside which a value is less than ``line`` off."""
        return _bounds(centre, spread, line, self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ewma:
    """The EWMA control chart of robust deviations: sees small shifts that last (Roberts 1959; NIST Handbook 6.3.2.4).

    The chart's own deviation is that of independent buckets, sqrt(weight / (2 - weight)), or what its mean is seen to
    have, whichever is more: the load of a service wanders, and the textbook's chart alarms at every hill.

    Attributes:
        window: Seconds of the baseline.
        gap: Seconds before the bucket that are no part of it.
        season: The cycle that is taken off first.
        scale: As of ``RobustZ``.
        floor: As of ``RobustZ``.
        weight: Weight of the newest bucket, 0 to 1; 0.2 to 0.3 in NIST's Handbook.
        clip: Deviations above it count as this many, so that one spike is not taken for a shift.
    """

    window: int
    gap: int
    season: Season = "none"
    scale: Scale = "log"
    floor: float
    weight: float = 0.3
    clip: float = 4.0

    def judge(self, grid: Grid, places: Places) -> Judged:
        """How many of its own deviations the weighted mean at each place is off."""
        y = forward(grid.values, self.scale)
        residual = y - seasons.shape(y, self.season, grid.width)
        past = before(residual, places, self.window // grid.width, self.gap // grid.width)
        centre, mad = median_and_mad(past)
        centre = np.where(enough(past), centre, np.nan)
        sigma = np.maximum(MAD_TO_SIGMA * mad, self.floor)
        recent = before(residual, places + 1, self.reach)
        off = np.clip((recent - centre[..., None]) / sigma[..., None], -self.clip, self.clip)
        mean, free = self._mean(off)
        usual, _ = self._mean(before(residual, np.arange(y.shape[1]) + 1, self.reach))
        wandering = median_and_mad(before(usual, places, self.window // grid.width, self.gap // grid.width))[1]
        spread = np.fmax(free * sigma, MAD_TO_SIGMA * wandering)
        part = (y - residual)[:, places]
        known = ~(np.isnan(centre) | np.isnan(y[:, places]))
        return Judged(np.where(known, mean * sigma / spread, np.nan), backward(centre + part, self.scale), spread)

    def _mean(self, values: Floats) -> tuple[Floats, Floats]:
        """The weighted mean along the last axis, and its deviation if all that is known were free of each other."""
        weights = self.weight * (1 - self.weight) ** np.arange(self.reach - 1, -1, -1)
        known = np.where(np.isnan(values), 0.0, weights)
        total = np.maximum(known.sum(axis=-1), 1e-12)
        mean = np.sum(np.nan_to_num(values) * known, axis=-1) / total
        seen = total > 0.5 * self.weight  # the mean of nearly nothing is none
        return np.where(seen, mean, np.nan), np.sqrt(np.sum(known**2, axis=-1)) / total

    @property
    def reach(self) -> int:
        """Buckets until a weight is below 1 % of the first."""
        return max(1, int(np.ceil(np.log(0.01) / np.log(1 - self.weight))))

    def bounds(self, centre: Floats, spread: Floats, line: float) -> tuple[Floats, Floats]:
        """The range inside which a mean that stays there is less than ``line`` off."""
        return _bounds(centre, spread, line, self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfWeek:
    """Deviations from the same hour of earlier weeks, whose spread is that hour's own: nights may be noisier than days.

    Attributes:
        window: Seconds over which the present level is taken, to which the hour's usual deviation is added.
        gap: Seconds before the bucket that are no part of the level.
        season: ``week``, or ``day`` for what knows no weekend.
        scale: As of ``RobustZ``.
        floor: As of ``RobustZ``.
    """

    window: int
    gap: int
    season: Season = "week"
    scale: Scale = "log"
    floor: float

    def judge(self, grid: Grid, places: Places) -> Judged:
        """How many of the hour's deviations each place is off."""
        y = forward(grid.values, self.scale)
        part = seasons.shape(y, self.season, grid.width)
        rest = before(y - part, places, self.window // grid.width, self.gap // grid.width)
        level = np.where(enough(rest), median(rest), np.nan)
        centre = level + part[:, places]
        own = self._own_hour(y, places, grid.width)
        overall = median(np.abs(rest - level[..., None]))
        mad = np.where(np.isnan(own), overall, np.maximum(own, OWN_LEAST * overall))
        sigma = np.maximum(MAD_TO_SIGMA * mad, self.floor)
        return Judged((y[:, places] - centre) / sigma, backward(centre, self.scale), sigma)

    def _own_hour(self, y: Floats, places: Places, width: int) -> Floats:
        """The median absolute deviation of this hour in earlier cycles from what was usual for it."""
        for cycle in seasons.cycles(self.season):
            seconds, most, _ = seasons.CYCLES[cycle]
            period, near = seconds // width, max(1, seasons.SMOOTH_SECONDS // (2 * width))
            off = y - moving_mean(y, period // 2, period - period // 2 - 1, seasons.LEVEL_SHARE)
            ends = [np.maximum(places - back * period + near + 1, 0) for back in range(1, most + 1)]
            sample = np.concatenate([before(off, end, 2 * near + 1) for end in ends], axis=-1)
            known = enough(sample)
            if known.any():
                return np.where(known, median_and_mad(sample)[1], np.nan)
        return np.full((len(y), len(places)), np.nan)

    def bounds(self, centre: Floats, spread: Floats, line: float) -> tuple[Floats, Floats]:
        """The range inside which a value is less than ``line`` off."""
        return _bounds(centre, spread, line, self.scale)


def forward(values: Floats, scale: Scale) -> Floats:
    """Values on a scale on which deviations are alike at every level."""
    if scale == "log":
        return np.log1p(np.maximum(values, 0))
    return 2 * np.sqrt(np.maximum(values, 0) + 0.375) if scale == "root" else values


def backward(values: Floats, scale: Scale) -> Floats:
    """The inverse of ``forward``."""
    if scale == "log":
        return np.expm1(np.maximum(values, 0))
    return np.maximum((np.maximum(values, 0) / 2) ** 2 - 0.375, 0) if scale == "root" else values


def _bounds(centre: Floats, sigma: Floats, line: float, scale: Scale) -> tuple[Floats, Floats]:
    y = forward(centre, scale)
    return backward(y - line * sigma, scale), backward(y + line * sigma, scale)


def enough(past: Floats) -> NDArray[np.bool_]:
    """Whether a baseline has half of its buckets, and enough of them."""
    share = known_share(past)
    whole: NDArray[np.bool_] = (share >= 0.5) & (share * past.shape[-1] >= LEAST_KNOWN)  # noqa: PLR2004
    return whole
