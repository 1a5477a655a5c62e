from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.detections.anomalies import tails

MEANS = st.fractions(Fraction(1, 20), 60, max_denominator=40)
SPREADS = st.fractions(Fraction(1, 20), 4, max_denominator=40)


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


def logarithm(value: Decimal) -> float:
    with localcontext(prec=60):
        return float(value.ln())


def poisson_below(x: int, mu: Fraction) -> Decimal:
    """P(X < x) by summation of 500-digit terms."""
    with localcontext(prec=500):
        mean = Decimal(mu.numerator) / Decimal(mu.denominator)
        term, total = (-mean).exp(), Decimal(0)
        for j in range(x):
            total += term
            term = term * mean / (j + 1)
        return total


def negative_below(x: int, mu: Fraction, size: int) -> Fraction:
    """P(X < x) exactly: with a whole size every term is a fraction."""
    p = mu / (mu + size)
    return sum((math.comb(j + size - 1, j) * (1 - p) ** size * p**j for j in range(x)), Fraction(0))


@settings(deadline=None)
@given(x=st.integers(0, 150), mu=MEANS)
def test_poisson_tails_are_those_of_summation_in_500_digits(x: int, mu: Fraction) -> None:
    below = poisson_below(x, mu)
    if x:
        with localcontext(prec=500):
            upper = 1 - below
        assert tails.log_upper(one(x), one(mu))[0] == pytest.approx(logarithm(upper), rel=1e-9, abs=1e-12)
        assert tails.log_lower(one(x - 1), one(mu))[0] == pytest.approx(logarithm(below), rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(x=st.integers(1, 150), mu=MEANS, size=st.integers(1, 20))
def test_negative_binomial_tails_are_those_of_exact_fractions(x: int, mu: Fraction, size: int) -> None:
    below = negative_below(x, mu, size)
    with localcontext(prec=500):
        lower = Decimal(below.numerator) / Decimal(below.denominator)
        rest = 1 - below
        upper = Decimal(rest.numerator) / Decimal(rest.denominator)
    phi = 1 / size
    assert tails.log_upper(one(x), one(mu), phi)[0] == pytest.approx(logarithm(upper), rel=1e-8, abs=1e-12)
    assert tails.log_lower(one(x - 1), one(mu), phi)[0] == pytest.approx(logarithm(lower), rel=1e-8, abs=1e-12)


@settings(deadline=None)
@given(x=st.floats(1e-6, 1e9))
def test_log_gamma_is_the_standard_library_s(x: float) -> None:
    assert tails.log_gamma(one(x))[0] == pytest.approx(math.lgamma(x), rel=1e-12, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(mu=st.floats(0.05, 400), phi=st.one_of(st.just(0.0), st.floats(1e-4, 3.0)), power=st.floats(1, 12))
def test_the_expected_range_is_the_widest_that_the_line_allows(mu: float, phi: float, power: float) -> None:
    line = -power * math.log(10)
    high, low = tails.upper_line(line, one(mu), one(phi)), tails.lower_line(line, one(mu), one(phi))
    assert tails.log_upper(high, one(mu), one(phi))[0] >= line > tails.log_upper(high + 1, one(mu), one(phi))[0]
    assert tails.log_lower(low, one(mu), one(phi))[0] >= line
    assert low[0] == 0 or tails.log_lower(low - 1, one(mu), one(phi))[0] < line


def test_tails_far_below_the_smallest_number_have_a_value() -> None:
    assert tails.log_upper(one(100_000), one(1.0))[0] == pytest.approx(-100_000 * (math.log(100_000) - 1), rel=1e-3)
