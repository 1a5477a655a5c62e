"""Generated series: the cases inside detector files, and the labelled series that the methods are measured on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAY, WEEK = 86_400, 604_800
KEPT_AN_HOUR = 0.7
"""What of its wandering a series keeps for an hour."""
Noise = Literal["poisson", "negative_binomial", "lognormal", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happens to a series.

    Attributes:
        at: Hours after the first bucket at which it begins.
        hours: How long it lasts; 0 is one bucket.
        factor: What the mean is multiplied by.
    """

    at: float
    hours: float = 0.0
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """How a series is made.

    Attributes:
        base: Its mean.
        noise: What its values are drawn from, around the mean.
        spread: Of ``negative_binomial`` the dispersion, of ``lognormal`` the deviation of the logarithm.
        day: How much it moves up and down each day, 0 to 1.
        week: By how much weekends are lower, 0 to 1.
        trend: What the mean is multiplied by each week.
        missing: Share of the buckets that are missing.
        wander: How far the mean wanders besides: the deviation of its logarithm.
        changes: What happens to it.
        first: Hours at which it begins.
        last: Hours at which it ends; None is never.
        exposure: What its values are out of; 0 is nothing. The day and the week then move this, and the value with it.
    """

    base: float
    noise: Noise = "poisson"
    spread: float = 0.3
    day: float = 0.0
    week: float = 0.0
    trend: float = 1.0
    missing: float = 0.0
    wander: float = 0.0
    changes: tuple[Change, ...] = ()
    first: float = 0.0
    last: float | None = None
    exposure: float = 0.0


NAMES = {one.name for one in fields(Spec)}


def draw(spec: Spec, seconds: Floats, dice: np.random.Generator) -> tuple[Floats, Floats]:
    """The values of a series and their exposure; NaN where a bucket is missing.

    Args:
        spec: How it is made.
        seconds: Starts of the buckets, in seconds after a Monday's midnight; equally far apart.
        dice: What is thrown.
    """
    season = 1 + spec.day * np.sin(2 * np.pi * (seconds / DAY - 0.375))
    season = season * np.where(seconds % WEEK >= 5 * DAY, 1 - spec.week, 1.0) * spec.trend ** (seconds / WEEK)
    mean = spec.base * season * np.exp(spec.wander * _wandering(seconds, dice) if spec.wander else 0.0)
    width = seconds[1] - seconds[0] if len(seconds) > 1 else 1.0
    for change in spec.changes:
        begin, end = change.at * 3600, change.at * 3600 + max(change.hours * 3600, width)
        mean = np.where((seconds >= begin - width / 2) & (seconds < end - width / 2), mean * change.factor, mean)
    values = _drawn(spec, mean, dice)
    exposure = dice.poisson(np.maximum(spec.exposure * season, 0)).astype(float)
    outside = (seconds < spec.first * 3600) | (seconds >= np.inf if spec.last is None else seconds >= spec.last * 3600)
    gone = outside | (dice.random(len(seconds)) < spec.missing)
    return np.where(gone, np.nan, values), np.where(gone, np.nan, exposure)


def _wandering(seconds: Floats, dice: np.random.Generator) -> Floats:
    """A slow random motion of deviation 1 that forgets itself in about three hours."""
    hours = np.zeros(int(seconds[-1] // 3600) + 2)
    for place, thrown in enumerate(dice.normal(0, 1, len(hours) - 1), start=1):
        hours[place] = KEPT_AN_HOUR * hours[place - 1] + np.sqrt(1 - KEPT_AN_HOUR**2) * thrown
    return np.interp(seconds, np.arange(len(hours)) * 3600.0, hours)


def _drawn(spec: Spec, mean: Floats, dice: np.random.Generator) -> Floats:
    if spec.noise == "poisson":
        return dice.poisson(mean).astype(float)
    if spec.noise == "negative_binomial":
        return dice.poisson(mean * dice.gamma(1 / spec.spread, spec.spread, len(mean))).astype(float)
    if spec.noise == "lognormal":
        return mean * np.exp(dice.normal(0, spec.spread, len(mean)))
    return mean
