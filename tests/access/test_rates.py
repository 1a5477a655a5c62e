"""A token brings in what its rate allows, in bursts too, and none pays for another."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.access import Grant, Rates, rates

RATE = 1_000
NAME = "one"


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def grant(token: str = NAME, rate: int | None = RATE) -> Grant:
    """What a token of a rate allows."""
    return Grant(token, ("*",), frozenset({"write"}), None, rate)


def test_a_token_without_a_rate_never_waits() -> None:
    held = Rates(Clock())
    assert {held.wait(grant(rate=None), 10**12) for _ in range(100)} == {0.0}


def test_who_comes_again_when_told_is_taken_and_not_before() -> None:
    clock = Clock()
    held = Rates(clock)
    burst = int(RATE * rates.BURST_SECONDS)
    assert held.wait(grant(), burst + RATE) == 0
    after = held.wait(grant(), 1)
    assert after == pytest.approx(1)
    clock.now += after / 2
    assert held.wait(grant(), 1) == pytest.approx(after / 2)
    clock.now += after / 2 + 1e-6
    assert held.wait(grant(), 1) == 0


def test_a_request_larger_than_the_burst_is_taken_and_paid_for_later() -> None:
    clock = Clock()
    held = Rates(clock)
    assert held.wait(grant(), RATE * 100) == 0
    assert held.wait(grant(), 1) == pytest.approx(100 - rates.BURST_SECONDS)
    assert held.wait(grant("other"), 1) == 0


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 4 * RATE)), min_size=1, max_size=60))
def test_over_any_time_no_more_comes_in_than_rate_burst_and_one_request(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    held = Rates(clock)
    taken: list[tuple[float, int]] = []
    for pause, size in steps:
        clock.now += pause
        if held.wait(grant(), size) == 0:
            taken.append((clock.now, size))
    for at in range(len(taken)):
        came = 0
        for when, size in taken[at:]:
            came += size
            assert came <= RATE * (when - taken[at][0] + rates.BURST_SECONDS + 1e-6) + size


def test_memory_is_bounded_and_those_who_owe_most_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_TOKENS", 100)
    clock = Clock()
    held = Rates(clock)
    held.wait(grant("greedy"), RATE * 1000)
    for number in range(5_000):
        held.wait(grant(f"t{number}"), RATE * 10)
        assert len(held._paid) <= 100
    assert held.wait(grant("greedy"), 1) > 900
    clock.now += 2_000
    held.wait(grant("new"), 1)
    assert len(held._paid) <= 100


def test_threads_share_one_rate() -> None:
    held = Rates(Clock())
    taken: list[int] = []

    def work() -> None:
        taken.extend(125 for _ in range(100) if held.wait(grant(), 125) == 0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == RATE * rates.BURST_SECONDS + 125
