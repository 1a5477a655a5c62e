from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.detections.anomalies import seasons
from logshed.detections.anomalies.counting import Counts, Silence
from logshed.detections.anomalies.methods import Ewma, Grid, HourOfWeek, RobustZ, backward, forward
from logshed.detections.anomalies.series import Spec, draw
from logshed.detections.anomalies.windows import before, median, median_and_mad, moving_mean

NAN = float("nan")
HOUR, DAY = 3_600, 86_400
VALUES = st.lists(st.one_of(st.just(NAN), st.floats(0, 1e6)), min_size=1, max_size=40)
METHODS = [
    RobustZ(window=2 * DAY, gap=HOUR, season="week", floor=0.1),
    Ewma(window=2 * DAY, gap=HOUR, season="week", scale="root", floor=1.0),
    HourOfWeek(window=DAY, gap=HOUR, scale="root", floor=1.0),
    Counts(window=2 * DAY, gap=HOUR, season="week"),
    Silence(window=7 * DAY, least_active=0.2),
]


def known(values: list[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


@settings(deadline=None)
@given(VALUES)
def test_median_and_mad_are_those_of_the_statistics_module(values: list[float]) -> None:
    centre, mad = median_and_mad(np.array([values]))
    rest = known(values)
    if not rest:
        assert math.isnan(centre[0])
        return
    assert centre[0] == pytest.approx(statistics.median(rest))
    assert mad[0] == pytest.approx(statistics.median(abs(one - statistics.median(rest)) for one in rest), abs=1e-9)


@settings(deadline=None)
@given(VALUES, st.integers(0, 5), st.integers(0, 5))
def test_a_moving_mean_is_the_mean_of_what_is_known_around(values: list[float], left: int, right: int) -> None:
    found = moving_mean(np.array([values]), left, right)[0]
    for place, value in enumerate(found):
        rest = known(values[max(0, place - left) : place + right + 1])
        assert math.isnan(value) if not rest else value == pytest.approx(statistics.fmean(rest), rel=1e-6, abs=1e-3)


@settings(deadline=None)
@given(VALUES, st.integers(1, 6), st.integers(0, 4))
def test_windows_end_before_the_gap(values: list[float], size: int, gap: int) -> None:
    windows = before(np.array([values]), np.arange(len(values)), size, gap)[0]
    padded = [NAN] * (size + gap) + values
    for place, window in enumerate(windows):
        np.testing.assert_array_equal(window, padded[place : place + size])


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=40, max_size=60))
def test_robust_z_is_that_of_plain_python(values: list[float]) -> None:
    method = RobustZ(window=30 * 60, gap=2 * 60, scale="none", floor=0.5)
    judged = method.judge(Grid(np.array([values]), 60), np.arange(35, len(values)))
    for off, place in zip(judged.off[0], range(35, len(values)), strict=True):
        past = values[place - 32 : place - 2]
        centre = statistics.median(past)
        sigma = max(1.4826 * statistics.median(abs(one - centre) for one in past), 0.5)
        assert off == pytest.approx((values[place] - centre) / sigma, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-50, 50), min_size=80, max_size=90))
def test_the_ewma_chart_is_that_of_plain_python(values: list[float]) -> None:
    method = Ewma(window=30 * 60, gap=2 * 60, scale="none", floor=1.0)
    reach, weight = method.reach, method.weight
    weights = [weight * (1 - weight) ** back for back in range(reach)]

    def mean(some: list[float]) -> float:
        return sum(w * one for w, one in zip(weights, reversed(some), strict=True)) / sum(weights)

    judged = method.judge(Grid(np.array([values]), 60), np.arange(60, len(values)))
    for off, place in zip(judged.off[0], range(60, len(values)), strict=True):
        past = values[place - 32 : place - 2]
        centre = statistics.median(past)
        sigma = max(1.4826 * statistics.median(abs(one - centre) for one in past), 1.0)
        clipped = [min(4.0, max(-4.0, (one - centre) / sigma)) for one in values[place - reach + 1 : place + 1]]
        means = [mean(values[at - reach + 1 : at + 1]) for at in range(place - 32, place - 2)]
        wander = 1.4826 * statistics.median(abs(one - statistics.median(means)) for one in means)
        free = math.sqrt(sum(w * w for w in weights)) / sum(weights) * sigma
        assert off == pytest.approx(mean(clipped) * sigma / max(free, wander), rel=1e-6, abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=60, max_size=120))
def test_silence_is_measured_in_the_longest_silence_before_it(counts: list[int]) -> None:
    method = Silence(window=200 * 60, least_active=0.0)
    off = method.judge(Grid(np.array([counts], float), 60), np.arange(len(counts))).off[0]
    for place in range(len(counts)):
        begun = place
        while begun >= 0 and counts[begun] == 0:
            begun -= 1
        past = counts[: begun + 1]
        if sum(one > 0 for one in past) < 24:
            assert math.isnan(off[place])
            continue
        runs = "".join("1" if one else "0" for one in past).split("1")
        longest = max(1, *(len(run) for run in runs))
        assert off[place] == pytest.approx(-(place - begun) / longest)


@pytest.mark.parametrize("method", METHODS, ids=lambda one: type(one).__name__)
def test_nothing_after_a_place_matters_to_it(method: RobustZ) -> None:
    dice = np.random.default_rng(3)
    seconds = np.arange(30 * 96) * 900.0
    values, _ = draw(Spec(base=50, day=0.5, week=0.3), seconds, dice)
    place = np.array([28 * 96 + 11])
    later = values.copy()
    later[place[0] + 1 :] = dice.poisson(5_000, len(later) - place[0] - 1)
    before_it, after_it = (method.judge(Grid(one[None], 900), place) for one in (values, later))
    for left, right in ((before_it.off, after_it.off), (before_it.centre, after_it.centre)):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("method", METHODS, ids=lambda one: type(one).__name__)
def test_a_history_that_is_too_short_judges_nothing(method: RobustZ) -> None:
    judged = method.judge(Grid(np.full((2, 10), 5.0), 900), np.arange(10))
    assert np.isnan(judged.off).all()


def test_a_level_that_shifts_is_no_part_of_the_season() -> None:
    seconds = np.arange(30 * 96) * 900.0
    daily = 100 * (1 + 0.5 * np.sin(2 * np.pi * seconds / DAY))
    shifted = daily + np.where(seconds > 20 * DAY, 500.0, 0.0)
    found = seasons.shape(np.stack([daily, shifted]), "day", 900)[:, -96:]
    np.testing.assert_allclose(found[0], found[1], atol=1)
    assert found[0].max() == pytest.approx(50, rel=0.05)


@settings(deadline=None)
@given(st.floats(0, 1e9), st.sampled_from(["log", "root", "none"]))
def test_a_scale_and_back_is_the_value(value: float, scale: str) -> None:
    there = np.array([value])
    assert backward(forward(there, scale), scale)[0] == pytest.approx(value, rel=1e-6, abs=1e-6)  # type: ignore[arg-type]


def test_a_median_of_nothing_is_unknown() -> None:
    assert math.isnan(median(np.empty((1, 0)))[0])
