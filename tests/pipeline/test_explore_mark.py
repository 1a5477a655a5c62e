"""Marks of how far somebody has seen what arrives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.errors import UsageError
from logshed.pipeline.explore_mark import MOST, Mark

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def batch(seconds: float, number: int) -> str:
    """The id of a batch that began so long before now."""
    moment = int((NOW - timedelta(seconds=seconds)).timestamp() * 1000)
    digits = f"{moment:012x}7000800000{number:010x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@given(st.sets(st.integers(0, 3_599), max_size=MOST - 1), st.sets(st.integers(0, 3_599), max_size=50))
def test_what_came_after_a_mark_is_found_whenever_it_began(known: set[int], more: set[int]) -> None:
    there = {batch(one, one) for one in known}
    now = there | {batch(one, one + 10_000) for one in more}
    mark = Mark.read(str(Mark.of(there, NOW)))
    assert mark.unknown(now) == sorted(now - there)
    assert mark.unknown(there) == []


def test_a_mark_of_very_many_batches_stays_short_and_forgets_none_of_the_last() -> None:
    there = [batch(one / 10, one) for one in range(20_000)]
    mark = Mark.of(there, NOW)
    assert len(str(mark)) < 2_000
    assert mark.unknown([*there, batch(5, 99_999)]) == [batch(5, 99_999)]


def test_a_mark_says_whether_it_is_too_old() -> None:
    mark = Mark.of([], NOW)
    assert not mark.late(NOW + timedelta(minutes=59))
    assert mark.late(NOW + timedelta(minutes=61))


@pytest.mark.parametrize("text", ["x", "0" * 12, f"{'0' * 12}-{'0' * 12}-abc", f"{'0' * 12}-{'0' * 12}-\n", "٣" * 12])
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not the id of an event"):
        Mark.read(text)
