"""Windows, steps and figures against a slow program that looks at every record for every step."""

from __future__ import annotations

import math
import random
import statistics
from typing import TYPE_CHECKING, Any

import pytest
from tests.logql.conftest import MANY, START

from logshed.errors import QueryError
from logshed.logql import Log, Steps, parse, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.logql.conftest import Logs

SECOND = 1_000_000
FROM = int(START.timestamp()) * SECOND
Rows = list[tuple[int, dict[str, Any]]]


def _quantile(values: list[float]) -> float:
    place = 0.9 * (len(values) - 1)
    low, ordered = math.floor(place), sorted(values)
    high = min(low + 1, len(values) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _numbers(rows: Rows) -> list[float]:
    return [row["duration_ms"] / 1000 for _, row in rows]


FIGURES: dict[str, Callable[[Rows, float], float]] = {
    "count_over_time({L}{W})": lambda rows, _: len(rows),
    "rate({L}{W})": lambda rows, seconds: len(rows) / seconds,
    "bytes_over_time({L}{W})": lambda rows, _: sum(len(row["body"]) for _, row in rows),
    "bytes_rate({L}{W})": lambda rows, seconds: sum(len(row["body"]) for _, row in rows) / seconds,
    "sum_over_time({L} | unwrap duration(duration_ms) {W})": lambda rows, _: sum(_numbers(rows)),
    "rate({L} | unwrap duration(duration_ms) {W})": lambda rows, seconds: sum(_numbers(rows)) / seconds,
    "avg_over_time({L} | unwrap duration(duration_ms) {W})": lambda rows, _: statistics.fmean(_numbers(rows)),
    "min_over_time({L} | unwrap duration(duration_ms) {W})": lambda rows, _: min(_numbers(rows)),
    "max_over_time({L} | unwrap duration(duration_ms) {W})": lambda rows, _: max(_numbers(rows)),
    "stddev_over_time({L} | unwrap duration(duration_ms) {W})": lambda rows, _: statistics.pstdev(_numbers(rows)),
    "stdvar_over_time({L} | unwrap duration(duration_ms) {W})": lambda rows, _: statistics.pvariance(_numbers(rows)),
    "quantile_over_time(0.9, {L} | unwrap duration(duration_ms) {W})": lambda rows, _: _quantile(_numbers(rows)),
}


def slow(
    figure: str, start: int, step: int, last: int, window: int, offset: int
) -> dict[tuple[str | None, int], float]:
    answers = {}
    usable = [
        (int((row["timestamp"] - START).total_seconds() * SECOND + 0.5) + FROM, row)
        for row in MANY
        if "unwrap" not in figure or (row["duration_ms"] is not None and not math.isnan(row["duration_ms"]))
    ]
    for k in range(last + 1):
        end = start + k * step - offset
        inside = [(ts, row) for ts, row in usable if end - window < ts <= end]
        for name in {row["service_name"] for _, row in inside}:
            own = [(ts, row) for ts, row in inside if row["service_name"] == name]
            answers[name, k] = FIGURES[figure](own, window / SECOND)
    return answers


@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_is_that_of_its_window(large: Logs, figure: str) -> None:
    dice = random.Random(figure)  # noqa: S311 - a test's dice
    for _ in range(6):
        step = dice.choice([10, 60, 77, 300]) * SECOND
        window = dice.choice([step, 3 * step, 10 * SECOND, 45 * SECOND, 1_500_000, 20 * step])
        offset = dice.choice([0, 0, 90 * SECOND])
        start = FROM + dice.choice([0, -300 * SECOND, 600 * SECOND + 123_456])
        last = dice.choice([0, 3, 12])
        told = f" offset {offset // SECOND}s" if offset else ""
        of = figure.replace("{L}", '{collection="web"}').replace("{W}", f"[{window // 1000}ms]{told}")
        grouping = "sum" if "count" in figure or "bytes" in figure or "sum_" in figure or "rate" in figure else "max"
        text = f"{grouping} by (service_name) ({of})" if grouping == "sum" else of + " by (service_name)"
        tree = parse(text)
        assert not isinstance(tree, Log)
        sql, names = statements.metric(tree, Steps(start, step, last), text)
        assert names == ("service_name",)
        found = {(name, k): value for k, name, value in large.rows(sql)}
        expected = slow(figure, start, step, last, window, offset)
        assert found.keys() == expected.keys(), text
        assert found == pytest.approx(expected, abs=1e-9), text


def test_first_and_last_are_those_by_time(large: Logs) -> None:
    usable = [row for row in MANY if row["duration_ms"] is not None and not math.isnan(row["duration_ms"])]
    ordered = sorted(usable, key=lambda row: row["timestamp"])
    for name, row in (("first", ordered[0]), ("last", ordered[-1])):
        text = f'{name}_over_time({{collection="web"}} | unwrap duration_ms [2h]) by (collection)'
        tree = parse(text)
        assert not isinstance(tree, Log)
        sql, _ = statements.metric(tree, Steps(FROM + 3600 * SECOND, SECOND, 0), text)
        assert large.rows(sql) == [(0, "web", row["duration_ms"])]


def test_windows_that_would_take_minutes_are_refused() -> None:
    text = 'rate({collection="web"}[365d])'
    tree = parse(text)
    assert not isinstance(tree, Log)
    assert statements.metric(tree, Steps(FROM, 86_400 * SECOND, 365), text)[1]
    with pytest.raises(QueryError, match="so long a window in so short steps"):
        statements.metric(tree, Steps(FROM, SECOND, 10_000), text)
