from __future__ import annotations

import pytest
from benchmarks.anomalies import CONTENDERS, made_for, table

SCORES = table(4)
NAIVE = "point z (naive)"


@pytest.mark.parametrize("name", [name for name in CONTENDERS if name != NAIVE])
def test_every_method_keeps_its_precision_and_recall_on_what_it_is_made_for(name: str) -> None:
    score = made_for(name, SCORES[name])
    assert score.precision >= 0.8
    assert score.recall >= 0.7


def test_a_threshold_on_each_bucket_alone_would_flood() -> None:
    assert made_for(NAIVE, SCORES[NAIVE]).precision < 0.2
