from __future__ import annotations

from datetime import UTC, datetime

import pytest

from logshed.errors import UsageError
from logshed.logql import Steps
from logshed.pipeline import loki_times
from logshed.pipeline.loki_json import figure, label_of
from logshed.pipeline.loki_times import Span

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MOMENT = int(NOW.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("0", 0),
        ("1772323200", 1_772_323_200_000_000),
        ("1772323200123456789", 1_772_323_200_123_456),
        ("1772323200.5", 1_772_323_200_500_000),
        ("2026-03-01T00:00:00Z", MOMENT),
        ("2026-03-01T01:00:00.123456789+01:00", MOMENT + 123_456),
        ("1.7723232e9", MOMENT),
    ],
)
def test_a_time_is_nanoseconds_seconds_or_rfc_3339(text: str, microseconds: int) -> None:
    assert loki_times.moment(text, "start") == microseconds


def test_nanoseconds_of_lines_are_rounded_up_since_no_line_lies_between() -> None:
    asked = {"start": "1772323200000000001", "end": "1772323200000001001"}
    assert loki_times.span(asked, NOW, up=True) == Span(MOMENT + 1, MOMENT + 2)
    assert loki_times.span(asked, NOW) == Span(MOMENT, MOMENT + 1)


@pytest.mark.parametrize("text", ["tomorrow", "nan", "inf", "1e300", "2026-13-01", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read start"):
        loki_times.moment(text, "start")


def test_without_times_it_is_the_last_hour_in_about_250_steps() -> None:
    within = loki_times.span({}, NOW)
    assert within == Span(MOMENT - 3_600_000_000, MOMENT)
    assert loki_times.steps({}, within) == Steps(within.start, 14_000_000, 257)
    assert loki_times.span({"since": "2h"}, NOW).start == MOMENT - 7_200_000_000


@pytest.mark.parametrize(
    ("text", "step"), [("15", 15_000_000), ("0.5", 500_000), ("1m30s", 90_000_000), ("250ms", 250_000)]
)
def test_a_step_is_a_duration_or_seconds(text: str, step: int) -> None:
    assert loki_times.steps({"step": text}, Span(0, 900_000_000)) == Steps(0, step, 900_000_000 // step)


@pytest.mark.parametrize("asked", [{"step": "0"}, {"step": "-1"}, {"step": "soon"}, {"step": "1ms"}])
def test_a_step_that_is_none_or_too_short_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"cannot (read step|tell so many points)"):
        loki_times.steps(asked, Span(0, 900_000_000))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Inf"),
    ],
)
def test_a_figure_never_has_an_exponent(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("key", "label"), [("order.id", "order_id"), ("1st-x", "_1st_x"), ("naïve", "na_ve"), ("", "_")]
)
def test_a_label_has_no_signs_that_loki_has_not(key: str, label: str) -> None:
    assert label_of(key) == label
