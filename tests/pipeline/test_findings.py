"""A finding tells in a sentence what was seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logshed.detections.model import Rule
from logshed.pipeline.findings import _sentence, score

START = datetime(2026, 1, 5, 23, 59, tzinfo=UTC)


def told(explanation: str, count: int = 2, **more: Any) -> str:
    said = {"count": count, "start": START, "end": START + timedelta(seconds=5), "actor": "ann", **more}
    return _sentence(Rule("x", "id", "Odd thing", explanation=explanation), said)


@pytest.mark.parametrize(
    ("explanation", "count", "sentence"),
    [
        ("{actor}: {count} request(s)", 1, "ann: 1 request"),
        ("{actor}: {count} request(s)", 2, "ann: 2 requests"),
        ("{actor} {times}", 1, "ann once"),
        ("{actor} {times}", 2000, "ann 2,000 times"),
        ("{nothing}", 1, "Odd thing. ({nothing})"),
        ("", 1, "Odd thing: 1 record by ann from 2026-01-05 23:59:00 to 23:59:05 UTC."),
    ],
)
def test_a_sentence_is_written_as_people_write(explanation: str, count: int, sentence: str) -> None:
    assert told(explanation, count) == sentence


def test_a_span_names_both_days() -> None:
    assert told("{span}", end=START + timedelta(minutes=2)).endswith("to 00:01:00 on 2026-01-06 UTC")


def test_an_actor_that_nobody_knows_leaves_no_gap() -> None:
    assert told("", 2, actor=None) == "Odd thing: 2 records from 2026-01-05 23:59:00 to 23:59:05 UTC."


def test_scores_stay_between_0_and_100_and_grow_with_level_and_count() -> None:
    assert score("informational", "low", 1) == 2.5
    assert score("high", "high", 1) == 70
    assert score("high", "high", 10) == 75
    assert score("critical", "high", 10**9) == 100
