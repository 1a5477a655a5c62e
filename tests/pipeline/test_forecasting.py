from __future__ import annotations

from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest

from logshed.pipeline.forecasting import DAY, WEEK, Model, theil_sen

if TYPE_CHECKING:
    from numpy.typing import NDArray

AHEAD = 4 * WEEK


def load(hours: NDArray[np.float64], growth: float = 0.001) -> NDArray[np.float64]:
    """400 an hour that grow, with a curve of the day and quiet weekends."""
    week = (1 + 0.6 * np.sin(2 * np.pi * hours / DAY)) * np.where((hours // DAY) % 7 >= 5, 0.5, 1.2)
    return np.asarray(400 * (1 + growth * hours) * week, np.float64)


@pytest.mark.parametrize("kind", ["counts", "in proportion"])
@pytest.mark.parametrize("weeks", [2, 3, 4, 8, 12])
def test_the_interval_covers_its_share_of_hours_to_come_though_some_of_the_past_are_wild(kind: str, weeks: int) -> None:
    dice, covered, length = np.random.default_rng(weeks), [], weeks * WEEK
    for _ in range(12):
        expected = load(np.arange(length + AHEAD, dtype=np.float64))
        values = dice.poisson(expected) if kind == "counts" else expected * dice.lognormal(0, 0.2, len(expected))
        past = np.array(values[:length], np.float64)
        past[dice.integers(0, length, 3)] *= 20
        ahead = Model(past, 0.9).ahead(length, AHEAD)
        covered.append(np.mean((values[length:] >= ahead.low) & (values[length:] <= ahead.high)))
    assert 0.87 <= np.mean(covered) <= (0.99 if weeks == 2 else 0.96)


def test_a_trend_and_an_hour_of_the_week_are_found_again() -> None:
    length = 8 * WEEK
    model = Model(load(np.arange(length, dtype=np.float64)))
    ahead = model.ahead(length, AHEAD)
    assert model.period == WEEK
    assert ahead.expected == pytest.approx(load(np.arange(length, length + AHEAD, dtype=np.float64)), rel=0.02)
    assert model.slope / model.level(np.zeros(1))[0] == pytest.approx(0.001, rel=0.02)


def test_a_week_without_any_value_does_not_bend_the_trend() -> None:
    values = load(np.arange(10 * WEEK, dtype=np.float64))
    values[3 * WEEK : 4 * WEEK] = 0
    ahead = Model(values).ahead(10 * WEEK, WEEK)
    truth = load(np.arange(10 * WEEK, 11 * WEEK, dtype=np.float64))
    assert np.median(ahead.expected / truth) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("weeks", [1.5, 0.5])
def test_a_short_history_knows_the_hours_of_the_day_only(weeks: float) -> None:
    hours = np.arange(int(weeks * WEEK), dtype=np.float64)
    model = Model(100 + 50 * np.sin(2 * np.pi * hours / DAY))
    assert model.period == DAY
    assert model.slope == pytest.approx(0, abs=1e-9)
    again = model.ahead(len(hours), DAY).expected
    assert again == pytest.approx(100 + 50 * np.sin(2 * np.pi * np.arange(len(hours), len(hours) + DAY) / DAY))


def test_nothing_at_all_is_expected_to_go_on() -> None:
    ahead = Model(np.zeros(3 * WEEK)).ahead(3 * WEEK, WEEK)
    assert not ahead.expected.any()
    assert not ahead.high.any()
    assert ahead.quantile(0.95) == 0


def test_nothing_below_zero_is_expected_of_what_falls() -> None:
    falling = np.linspace(1_000, 10, 3 * WEEK)
    ahead = Model(falling).ahead(3 * WEEK, 4 * WEEK)
    assert ahead.low.min() == ahead.expected.min() == 0


def test_the_slope_is_the_median_of_all_pairs() -> None:
    dice = np.random.default_rng(4)
    x = np.arange(25, dtype=np.float64)
    y = 3 * x + dice.normal(0, 5, 25)
    y[7] = 1_000
    slope, low, high = theil_sen(x, y, 0.9)
    assert slope == pytest.approx(median((y[b] - y[a]) / (x[b] - x[a]) for a, b in combinations(range(25), 2)))
    assert low < slope < high


def test_the_interval_of_the_slope_covers_its_share() -> None:
    dice, x, held = np.random.default_rng(5), np.arange(30, dtype=np.float64), 0
    for _ in range(400):
        _, low, high = theil_sen(x, 2 * x + dice.normal(0, 4, 30), 0.9)
        held += low <= 2 <= high
    assert 0.87 <= held / 400 <= 0.95
