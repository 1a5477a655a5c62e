from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.detections.anomalies.alarms import Alarm, events, off_buckets
from logshed.detections.anomalies.methods import Judged

ALARM = Alarm(direction="high", start=4, end=2, sure=9, over=2, among=3, quiet=3)


def alarms(off: list[float], alarm: Alarm = ALARM) -> list[tuple[int, int]]:
    there = np.array([off], float)
    judged = Judged(there, np.ones_like(there), np.ones_like(there))
    sign = 1 if alarm.direction == "high" else -1
    values = np.full_like(there, 100.0) if sign == 1 else np.zeros_like(there)
    found = events(off_buckets(values, judged, np.arange(len(off)), alarm), alarm)
    return found.select("first", "last").rows()


def by_hand(off: list[float], alarm: Alarm) -> list[tuple[int, int]]:
    """The same, bucket by bucket: an alarm opens, waits to be confirmed, and closes after a quiet time."""
    found, opened, last, confirmed = [], None, -1, False
    for place, value in enumerate([*off, *([0.0] * alarm.quiet)]):
        if value >= alarm.end:
            opened = place if opened is None else opened
            last = place
            recent = off[max(opened, place - alarm.among + 1) : place + 1]
            confirmed |= sum(one >= alarm.start for one in recent) >= alarm.over or value >= (alarm.sure or 1e9)
        elif opened is not None and place - last >= alarm.quiet:
            found += [(opened, last)] if confirmed else []
            opened, confirmed = None, False
    return found


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, 2.5, 4.5, 10.0]), min_size=1, max_size=60))
def test_alarms_are_those_of_a_state_machine(off: list[float]) -> None:
    assert alarms(off) == by_hand(off, ALARM)


def test_a_long_outage_with_dips_is_one_alarm() -> None:
    assert alarms([0, 5, 6, 1, 1, 7, 3, 0, 8, 0, 0, 0, 0]) == [(1, 8)]


def test_one_bucket_alarms_only_above_the_sure_line() -> None:
    assert alarms([0, 0, 8, 0, 0]) == []
    assert alarms([0, 0, 9, 0, 0]) == [(2, 2)]


def test_what_is_low_alarms_downwards_only() -> None:
    low = Alarm(direction="low", start=4, end=2, over=1, quiet=1)
    assert alarms([5, 0, -5, -3, 0], low) == [(2, 3)]


def test_what_is_small_does_not_alarm() -> None:
    alarm = Alarm(direction="high", start=4, end=2, least_value=10, least_ratio=2)
    off = np.array([[9.0, 9.0, 9.0, float("nan")]])
    judged = Judged(off, np.array([[1.0, 60.0, 50.0, 1.0]]), np.ones_like(off))
    found = off_buckets(np.array([[9.0, 100.0, 100.0, 100.0]]), judged, np.arange(4), alarm)
    assert found["place"].to_list() == [2]


def test_series_do_not_run_into_each_other() -> None:
    off = np.array([[0.0, 9.0], [9.0, 0.0]])
    judged = Judged(off, np.ones_like(off), np.ones_like(off))
    found = events(off_buckets(np.full_like(off, 100.0), judged, np.arange(2), ALARM), ALARM)
    assert found.select("series", "first").rows() == [(0, 1), (1, 0)]
    assert isinstance(found, pl.DataFrame)
