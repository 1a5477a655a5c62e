"""Tails of the Poisson and the negative binomial distribution as logarithms, so that 1e-300 and far below have a value.

A Poisson tail is its largest term times a sum of ratios of neighbouring terms, all below one: no cancellation, no
underflow. A negative binomial tail is an incomplete beta function. The negative binomial is written by its mean ``mu``
and its dispersion ``phi``: variance ``mu + phi * mu**2`` (NB2, as in Hilbe, Negative Binomial Regression, 2011, ch. 8);
``phi`` 0 is the Poisson distribution.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PHI_LEAST = 1e-7
"""Below this dispersion the negative binomial is taken as Poisson: a variance that is 10^-7 of the mean higher."""

_SMALL, _SETTLED, _TINY = 1e-17, 1e-15, 1e-300
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_SHIFT = 10
_MOST_TERMS = 200_000
_DOUBLINGS = 60


def log_gamma(x: Floats) -> Floats:
    """The logarithm of the gamma function for ``x`` > 0.

    Stirling's series (DLMF 5.11.1) from 10 on, where six terms are exact to rounding; below, by recurrence.
    """
    low = x < _SHIFT
    product = np.ones_like(x)
    for step in range(_SHIFT):
        product *= np.where(low, x + step, 1.0)
    moved = np.where(low, x + _SHIFT, x)
    series = sum(term / moved ** (2 * place + 1) for place, term in enumerate(_STIRLING))
    whole = (moved - 0.5) * np.log(moved) - moved + 0.5 * math.log(2 * math.pi) + series
    result: Floats = whole - np.log(product)
    return result


def log_pmf(x: Floats, mu: Floats, phi: Floats) -> Floats:
    """The logarithm of P(X = x) for whole ``x`` >= 0 and ``mu`` > 0."""
    poisson = x * np.log(mu) - mu - log_gamma(x + 1)
    wide = phi > PHI_LEAST
    if not wide.any():
        return poisson
    size = 1 / np.where(wide, phi, 1.0)
    ways = log_gamma(x + size) - log_gamma(size) - log_gamma(x + 1)
    negative = ways - size * np.log1p(mu / size) + x * (np.log(mu) - np.log(size + mu))
    result: Floats = np.where(wide, negative, poisson)
    return result


def log_upper(x: Floats, mu: Floats, phi: Floats | float = 0.0) -> Floats:
    """The logarithm of P(X >= x), natural, of the shape of ``x``.

    Args:
        x: Counts; fractions are rounded.
        mu: Means, above 0.
        phi: Dispersions; 0 is Poisson.
    """
    x, mu, phi = _alike(x, mu, phi)
    above = x > mu
    summed = np.zeros_like(x)
    summed[above] = _rising(x[above], mu[above], phi[above])
    below = ~above & (x > 0)
    summed[below] = _complement(_falling(x[below] - 1, mu[below], phi[below]))
    return np.minimum(summed, 0.0)


def log_lower(x: Floats, mu: Floats, phi: Floats | float = 0.0) -> Floats:
    """The logarithm of P(X <= x); arguments as of ``log_upper``."""
    x, mu, phi = _alike(x, mu, phi)
    below = x < mu
    summed = np.zeros_like(x)
    summed[below] = _falling(x[below], mu[below], phi[below])
    summed[~below] = _complement(_rising(x[~below] + 1, mu[~below], phi[~below]))
    return np.minimum(summed, 0.0)


def upper_line(log_p: float, mu: Floats, phi: Floats) -> Floats:
    """The largest count whose upper tail is not below ``log_p``: what is still expected."""
    top = np.maximum(mu, 1.0)
    for _ in range(_DOUBLINGS):
        within = log_upper(top, mu, phi) >= log_p
        if not within.any():
            break
        top = np.where(within, top * 2, top)
    return _bisected(np.zeros_like(top), top, lambda middle: log_upper(middle, mu, phi) >= log_p)


def lower_line(log_p: float, mu: Floats, phi: Floats) -> Floats:
    """The smallest count whose lower tail is not below ``log_p``."""
    top = np.ceil(mu)
    highest = _bisected(np.full_like(top, -1.0), top, lambda middle: log_lower(middle, mu, phi) < log_p)
    return highest + 1


def _bisected(low: Floats, high: Floats, holds: Callable[[Floats], NDArray[np.bool_]]) -> Floats:
    """The last whole number from ``low`` on (where it holds) up to ``high`` for which it holds."""
    low, high = np.floor(low), np.ceil(high)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        true = holds(middle)
        low, high = np.where(true, middle, low), np.where(true, high, middle)
    return low


def _alike(x: Floats, mu: Floats, phi: Floats | float) -> tuple[Floats, Floats, Floats]:
    whole = np.maximum(np.round(np.asarray(x, float)), 0.0)
    x, mu, phi = np.broadcast_arrays(whole, np.asarray(mu, float), np.asarray(phi, float))
    return x, mu, np.where(phi > PHI_LEAST, phi, 0.0)


def _rising(x: Floats, mu: Floats, phi: Floats) -> Floats:
    """Log P(X >= x) for ``x`` above the mean."""
    found = log_pmf(x, mu, np.zeros_like(mu)) + _log_sum(x, lambda j: mu / (j + 1), 1)
    wide = phi > 0
    size = 1 / phi[wide]
    found[wide] = _log_beta(x[wide], size, mu[wide] / (mu[wide] + size))
    return found


def _falling(x: Floats, mu: Floats, phi: Floats) -> Floats:
    """Log P(X <= x) for ``x`` below the mean."""
    found = log_pmf(x, mu, np.zeros_like(mu)) + _log_sum(x, lambda j: np.maximum(j, 0) / mu, -1)
    wide = phi > 0
    size = 1 / phi[wide]
    found[wide] = _log_beta(size, x[wide] + 1, size / (mu[wide] + size))
    return found


def _log_beta(a: Floats, b: Floats, x: Floats) -> Floats:
    """The logarithm of the regularised incomplete beta function, which is the negative binomial's tail.

    By its continued fraction (DLMF 8.17.22), evaluated by Lentz's method as modified by Thompson and Barnett; on the
    far side of the mean it settles within some hundred steps.
    """
    front = a * np.log(x) + b * np.log1p(-x) + log_gamma(a + b) - log_gamma(a) - log_gamma(b) - np.log(a)
    upper = np.ones_like(x)
    lower = 1 / _kept(1 - (a + b) * x / (a + 1))
    total = lower.copy()
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = np.ones_like(x)
        for part in (even, odd):
            lower = 1 / _kept(1 + part * lower)
            upper = _kept(1 + part / upper)
            step = lower * upper
            total = total * step
        if not (np.abs(step - 1) > _SETTLED).any():
            break
    return front + np.log(total)


def _kept(values: Floats) -> Floats:
    """Away from zero, by which Lentz's method divides."""
    return np.where(np.abs(values) < _TINY, _TINY, values)


def _log_sum(x: Floats, ratio: Callable[[Floats], Floats], step: int) -> Floats:
    """The logarithm of 1 + r(x) + r(x) r(x ± 1) + …, until the terms no longer count."""
    total, term, place = np.ones_like(x), np.ones_like(x), x.copy()
    for _ in range(_MOST_TERMS):
        term = term * np.maximum(ratio(place), 0.0)
        total += term
        place += step
        if not (term > total * _SMALL).any():
            break
    return np.log(total)


def _complement(log_p: Floats) -> Floats:
    """log(1 - exp(log_p))."""
    with np.errstate(divide="ignore"):
        result: Floats = np.log(-np.expm1(np.minimum(log_p, 0.0)))
    return result
