"""A sample of made attacks is found, and of ordinary values next to none is taken for one."""

from __future__ import annotations

import pytest
from tests.truth_detect import payloads
from tests.truth_detect.payload_scoring import Score, scores

FLOORS = {"sql": 98.5, "xss": 99.0, "traversal": 99.0, "command": 97.0}
"""Per cent found by any rule; what was promised is 97, 95, 90 and 80."""
SURE = {"sql": 97.0, "xss": 97.5, "traversal": 98.0, "command": 96.0}
"""Per cent found by rules that alert."""
TAKEN = 0.1
"""Per cent of ordinary values that may be taken for attacks."""


@pytest.fixture(scope="module")
def sample() -> dict[str, Score]:
    """Some of each family."""
    return scores(each=120, benign=1200)


@pytest.mark.parametrize("kind", payloads.KINDS)
def test_attacks_are_found(sample: dict[str, Score], kind: str) -> None:
    """Nearly all of each kind are found, and by rules that alert."""
    score = sample[kind]
    missed = [one.text for one, _ in score.odd]
    assert score.share >= FLOORS[kind], missed
    assert 100 * score.high / score.total >= SURE[kind], missed


def test_ordinary_values_are_not_taken_for_attacks(sample: dict[str, Score]) -> None:
    """Names, sentences, prices, addresses, markdown and code are let alone."""
    score = sample["benign"]
    assert score.share <= TAKEN, [(one.text, rules) for one, rules in score.odd]


def test_payloads_are_the_same_every_time() -> None:
    """Otherwise a floor would be a matter of luck."""
    assert payloads.attacks("sql", 20) == payloads.attacks("sql", 20)
    assert payloads.benign(20) == payloads.benign(20)
