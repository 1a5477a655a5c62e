from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from benchmarks.anomalies import CONTENDERS, made_for, table

if TYPE_CHECKING:
    from benchmarks.anomalies import Score

    Scores = dict[str, dict[tuple[str, str], Score]]

NAIVE = "point z (naive)"


@pytest.fixture(scope="module")
def scores() -> Scores:
    """Measured once, and only where these tests run."""
    return table(4)


@pytest.mark.parametrize("name", [name for name in CONTENDERS if name != NAIVE])
def test_every_method_keeps_its_precision_and_recall_on_what_it_is_made_for(name: str, scores: Scores) -> None:
    score = made_for(name, scores[name])
    assert score.precision >= 0.8
    assert score.recall >= 0.7


def test_a_threshold_on_each_bucket_alone_would_flood(scores: Scores) -> None:
    assert made_for(NAIVE, scores[NAIVE]).precision < 0.2
