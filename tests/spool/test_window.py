from __future__ import annotations

import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.spool.window import AGES, Window


def ids(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


def test_new_ids_are_told_from_known_ones_in_any_order() -> None:
    window = Window(most=10_000)
    known = ids(6_000, 1)
    for begin in range(0, 6_000, 17):
        window.add(known[begin : begin + 17], 100.0)
    asked = np.concatenate([ids(500, 2), known[::-7]])
    assert window.seen(asked, 100.0).tolist() == [False] * 500 + [True] * (asked.size - 500)


def test_at_least_the_newest_are_remembered_and_at_most_an_eighth_more() -> None:
    window = Window(most=8_000)
    came = ids(40_000, 3)
    for begin in range(0, came.size, 1_000):
        for part in np.split(came[begin : begin + 1_000], 10):
            window.add(part, begin / 1_000)
        assert len(window) <= 8_000 + 8_000 // AGES
        assert window.seen(came[max(begin + 1_000 - 8_000, 0) : begin + 1_000], begin / 1_000).all()
    assert not window.seen(came[: 40_000 - 9_000], 40.0).any()


def test_ids_are_forgotten_after_their_time_also_when_none_come_after_them() -> None:
    window = Window(most=8_000, seconds=80.0)
    early, late = ids(50, 4), ids(50, 5)
    window.add(early, 1_000.0)
    window.add(late, 1_060.0)
    assert window.seen(early, 1_075.0).all()
    assert not window.seen(late, 1_141.0).any()
    window.add(ids(50, 6), 1_095.0)
    assert not window.seen(early, 1_095.0).any()
    assert window.seen(late, 1_095.0).all()


def test_millions_of_ids_take_less_than_50_megabytes() -> None:
    window = Window()
    for number in range(50):
        window.add(ids(50_000, number), float(number))
    assert len(window) >= 2_000_000
    runs = [run.ids for run in (*window._full, *window._fresh)]
    held = sum(map(sys.getsizeof, runs)) + window._slots.nbytes
    assert held + 2 * max(map(sys.getsizeof, runs)) < 50 * 2**20  # two runs more are there while ages are merged


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=40), st.integers(1, 30))
def test_a_window_knows_what_a_list_of_the_newest_knows(batches: list[list[int]], most: int) -> None:
    window, came = Window(most=most), list[int]()
    for number, batch in enumerate(batches):
        window.add(np.array(batch, dtype=np.uint64), float(number))
        came += batch
    now = float(len(batches))
    known = window.seen(np.arange(45, dtype=np.uint64), now)
    assert set(came[-most:]) <= {int(one) for one in np.nonzero(known)[0]} <= set(came)
