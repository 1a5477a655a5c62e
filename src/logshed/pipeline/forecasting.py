"""Forecasts a series of hours: a robust line, the hour of the week, and an interval from what was missed before.

The line is Theil's and Sen's (Sen 1968, "Estimates of the regression coefficient based on Kendall's tau"): the median
of the slopes between all pairs of days, with Sen's interval for it; up to 29 % of the days may be anything. The season
is multiplicative: for each hour of the week (of the day, with less than two weeks) the median of the value over the
line. The interval is that of quantiles of residuals, each taken with a season to which its own week did not contribute
(leave-one-out; Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 3rd edition, 5.5), scaled by a power
of the level; away from the middle of the history Sen's interval of the slope is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAY, WEEK = 24, 168
LEAST = 2 * DAY
"""Hours of history below which nothing is said."""
LEAST_WEEKLY = 2 * WEEK
"""Hours from which on the hour of the week is known; before it is that of the day."""
LEAST_TREND = WEEK
"""Hours from which on a trend is looked for: two days are no trend."""
POWERS = (0.5, 1.0)
"""How the spread may grow with the level: as that of counts, or in proportion."""
ROUNDS = 3
SHARES = np.linspace(0.025, 0.975, 20)
"""Parts of the distribution of an hour, of equal weight, by which quantiles over many hours are found."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of hours to come.

    Attributes:
        expected: The value of each hour.
        low: The lower bound of its interval.
        high: The upper bound.
        parts: Values of ``SHARES`` of each hour's distribution, a row for each hour.
    """

    expected: Floats
    low: Floats
    high: Floats
    parts: Floats

    def quantile(self, share: float) -> float:
        """The value that this share of the hours stays below, chance included."""
        return float(np.quantile(self.parts, share))


class Model:
    """A line and a season of a history of hours.

    Args:
        values: A value for each hour, at least ``LEAST``, none of them missing or below zero.
        coverage: The share of hours that the interval is to hold.

    Attributes:
        period: Hours of the season: 168, or 24 where the history is too short.
        slope: The change of the level in an hour.
        slope_low: The lower bound of Sen's interval for it.
        slope_high: The upper bound.
    """

    def __init__(self, values: Floats, coverage: float = 0.9) -> None:
        self._values = values
        self._coverage = coverage
        self.period = WEEK if len(values) >= LEAST_WEEKLY else DAY
        self._middle = (len(values) - 1) / 2
        self._hours = np.arange(len(values), dtype=np.float64)
        self._season = np.ones(self.period)
        for _ in range(ROUNDS):
            self._level, self.slope, self.slope_low, self.slope_high = self._line()
            self._season = _season(self._ratios())
        self._power, self._residuals = self._misses()

    def level(self, hours: Floats) -> Floats:
        """The line without the season, at hours counted from the first of the history."""
        return np.maximum(self._level + self.slope * (hours - self._middle), 0)

    def ahead(self, first: int, count: int) -> Forecast:
        """The forecast of some hours.

        Args:
            first: The first of them, counted from the first of the history.
            count: How many.
        """
        hours = np.arange(first, first + count, dtype=np.float64)
        season = self._season[hours.astype(int) % self.period]
        expected = self.level(hours) * season
        spread = _scale(expected, self._power)
        tail = (1 - self._coverage) / 2
        quantiles = np.quantile(self._residuals, [tail, 1 - tail])
        away = (hours - self._middle) * season
        low = expected + quantiles[0] * spread + (self.slope_low - self.slope) * away
        high = expected + quantiles[1] * spread + (self.slope_high - self.slope) * away
        parts = expected[:, None] + spread[:, None] * np.quantile(self._residuals, SHARES)[None, :]
        return Forecast(expected, np.maximum(low, 0), np.maximum(high, 0), np.maximum(parts, 0))

    def _line(self) -> tuple[float, float, float, float]:
        """The level in the middle, the slope and its bounds, by days whose season is taken out."""
        days = len(self._values) // DAY
        used = slice(len(self._values) - days * DAY, None)
        factors = self._season[self._hours[used].astype(int) % self.period].reshape(days, DAY).sum(axis=1)
        sums = self._values[used].reshape(days, DAY).sum(axis=1)
        known = factors > 0
        places = self._hours[used].reshape(days, DAY).mean(axis=1)[known]
        levels = sums[known] / factors[known]
        if len(self._values) < LEAST_TREND or len(levels) < 3:  # noqa: PLR2004 - two points always lie on a line
            return float(np.median(levels)) if len(levels) else 0.0, 0.0, 0.0, 0.0
        slope, low, high = theil_sen(places, levels, self._coverage)
        return float(np.median(levels - slope * (places - self._middle))), slope, low, high

    def _ratios(self) -> Floats:
        """Values over the line, a row for each period; NaN where there is none."""
        level = self.level(self._hours)
        ratios = np.divide(self._values, level, out=np.full(len(level), np.nan), where=level > 0)
        missing = -len(ratios) % self.period
        return np.concatenate([ratios, np.full(missing, np.nan)]).reshape(-1, self.period)

    def _misses(self) -> tuple[float, Floats]:
        """How far each hour was from what the other periods let expect, over the power of the level that fits."""
        ratios = self._ratios()
        fitted = np.concatenate([_season(np.delete(ratios, row, axis=0)) for row in range(len(ratios))])
        fitted = fitted[: len(self._values)] * self.level(self._hours)
        missed = self._values - fitted
        best = min(POWERS, key=lambda power: _unevenness(np.abs(missed) / _scale(fitted, power), fitted))
        return best, missed / _scale(fitted, best)


def theil_sen(x: Floats, y: Floats, coverage: float) -> tuple[float, float, float]:
    """The median slope of all pairs, and Sen's interval for it.

    Args:
        x: Places, none of them twice.
        y: Values.
        coverage: Confidence of the interval, 0 to 1.
    """
    left, right = np.triu_indices(len(x), 1)
    slopes = np.sort((y[right] - y[left]) / (x[right] - x[left]))
    n = len(x)
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    reach = z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, math.floor((len(slopes) - reach) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2))
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def _season(ratios: Floats) -> Floats:
    """The median of each column; 1 where nothing is known.

    It is not brought to a mean of 1: one wild hour would move all others, and the line takes up what is left.
    """
    known = ~np.isnan(ratios).all(axis=0)
    season = np.ones(ratios.shape[1])
    season[known] = np.nanmedian(ratios[:, known], axis=0)
    return season


def _scale(level: Floats, power: float) -> Floats:
    return np.asarray(np.maximum(level, 1) ** power, np.float64)


def _unevenness(misses: Floats, level: Floats) -> float:
    """How much wider the misses are in the upper half of the levels than in the lower one, or the other way round."""
    upper = level >= np.median(level)
    above, below = (float(np.median(part)) if len(part) else 0.0 for part in (misses[upper], misses[~upper]))
    return abs(math.log((above + 1e-12) / (below + 1e-12)))
