from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.pipeline.samples import accesses

from logshed.pipeline.drift import fallen

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

CHANGED = "".join(f"2026-11-01T12:00:{number % 60:02d}Z|GET|/item/{number}\n" for number in range(60))


@pytest.mark.parametrize(
    ("before", "now"),
    [((1000, 0), (30, 30)), ((1000, 0), (0, 20)), ((900, 100), (60, 60)), ((100_000, 0), (9_000, 1_000))],
)
def test_a_share_that_fell_far_is_told(before: tuple[int, int], now: tuple[int, int]) -> None:
    assert fallen(before, now) is not None


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ((1000, 0), (99, 1)),  # a small fall
        ((100, 0), (0, 100)),  # too little is known
        ((1000, 0), (0, 10)),  # too little is new
        ((500, 500), (20, 30)),  # as like as not by chance
        ((100, 900), (50, 450)),  # as ever
        ((0, 1000), (0, 100)),
    ],
)
def test_what_chance_does_is_not_told(before: tuple[int, int], now: tuple[int, int]) -> None:
    assert fallen(before, now) is None


def test_a_known_source_that_changes_its_format_is_told_with_lines(lake: Lake, logs: Path) -> None:
    log = logs / "access.log"
    log.write_text(accesses(0, 300))
    first = lake.ingest([log], format="apache_combined")
    assert not first.files[0].drift
    assert lake.audit().drifts == ()

    with log.open("a") as file:
        file.write(accesses(300, 310) + CHANGED)
    second = lake.ingest([log], format="apache_combined").files[0]
    assert "only 14.3% of its 70 new lines parse, usually 100.0% do" in second.drift
    assert second.reject_samples == CHANGED.splitlines()[:3]

    report = lake.audit()
    assert report.ok
    assert [(one.source, one.lines, one.samples) for one in report.drifts] == [
        (f"file:{log}", 70, tuple(CHANGED.splitlines()[:3]))
    ]

    with log.open("a") as file:
        file.write(accesses(310, 400))
    assert not lake.ingest([log], format="apache_combined").files[0].drift
    assert lake.audit().drifts == ()


def test_the_sample_lines_are_redacted(lake: Lake, logs: Path) -> None:
    log = logs / "access.log"
    log.write_text(accesses(0, 300))
    lake.ingest([log], format="apache_combined")
    with log.open("a") as file:
        file.write("mail from ada@example.org\n" * 30)
    report = lake.ingest([log], format="apache_combined")
    assert report.files[0].reject_samples == ["mail from [EMAIL]"] * 3
    assert lake.audit().drifts[0].samples == ("mail from [EMAIL]",) * 3
