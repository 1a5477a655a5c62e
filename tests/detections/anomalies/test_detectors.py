from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed import schema
from logshed.detections.anomalies import cases, judging
from logshed.detections.anomalies.reading import parse
from logshed.detections.anomalies.registry import detector, load
from logshed.errors import DetectionError

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.detections.anomalies.model import Case, Detector

DETECTORS = load()
CASES = [(one, case) for one in DETECTORS.values() for case in one.cases]
TEXT = (files("logshed") / "detections" / "anomalies" / "error_rate_jump.toml").read_text("utf-8")


@pytest.mark.parametrize(("found", "case"), CASES, ids=lambda one: one.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_case_alarms_as_often_as_it_says(found: Detector, case: Case, seed: int) -> None:
    assert cases.alarms(found, case, seed).height == case.alarms


@pytest.mark.parametrize("found", DETECTORS.values(), ids=lambda one: one.name)
def test_every_detector_has_a_case_that_alarms_and_one_that_does_not(found: Detector) -> None:
    assert {bool(case.alarms) for case in found.cases} == {True, False}
    assert found.description.endswith(".")
    assert all(f"${name}" in found.sql for name in ("since", "until", "collection", "width"))
    assert set(found.keys) <= set(schema.SILVER_BY_NAME)


def test_no_two_detectors_have_one_id() -> None:
    assert len({one.id for one in DETECTORS.values()}) == len(DETECTORS)


def test_a_bucket_is_judged_alike_whichever_other_buckets_are_judged_with_it() -> None:
    for found in DETECTORS.values():
        case = next(case for case in found.cases if case.alarms)
        rows = judging.prepared(cases.frame(found, case), found)
        until = int(cases.MONDAY.timestamp() + case.days * 86_400) // found.bucket
        since = until - int(case.judge * 86_400) // found.bucket
        one = judging.alarms(rows, found, since, until)
        later = judging.alarms(rows, found, one["first"].min() - 3, until)  # type: ignore[operator]
        assert one.equals(later), found.name
        assert isinstance(one, pl.DataFrame)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ('level = "high"', 'level = "worst"', "level is 'worst'"),
        ('level = "high"', 'level = "high"\ncolour = 1', "unknown key colour"),
        ("gap =", "gaps =", "unknown key method.gaps"),
        ('gap = "1h"', "gap = 60", "method.gap is 60, no length of time"),
        ('name = "counts"', 'name = "magic"', "method.name is missing or no method"),
        ("least_mean = 0.2", 'least_mean = "few"', "method.least_mean is 'few'; write a number"),
        ("\nover = 2", "\nover = 9", "over above among"),
        ("start = 4\n", "", "alarm.start is missing"),
        ('direction = "high"', 'direction = "up"', "alarm.direction is 'up'"),
        ("date = 2026-11-26", "", "date is missing"),
        ('actor = "service_name"', 'actor = "user_id"', "actor is 'user_id', none of keys"),
        ("{value} errors", "{amount} errors", "unknown key sentence.amount"),
        ('bucket = "10m"', 'bucket = "ten"', "bucket is 'ten', no length of time"),
        ('id = "', 'id = "x', "no UUID"),
        ("base = 6", "base = 6\nnoize = 1", r"unknown key cases\[1\].series.noize"),
        ('least_ratio = "', 'most_ratio = "', "sources.least_ratio is missing"),
        ("sql =", "sql", "no TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_key(old: str, new: str, cause: str) -> None:
    assert old in TEXT
    with pytest.raises(DetectionError, match=f"cannot load the anomaly detector mine.toml: .*{cause}"):
        parse("mine", TEXT.replace(old, new, 1))


def test_a_users_detector_is_found_and_wins_over_ours(tmp_path: Path) -> None:
    folder = tmp_path / "detections" / "anomalies"
    folder.mkdir(parents=True)
    (folder / "error_rate_jump.toml").write_text(TEXT.replace("Errors jump", "Errors leap"))
    assert load([tmp_path])["error_rate_jump"].title == "Errors leap in a service"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d [0-9a-f]{12}", detector("error_rate_jump").version)


def test_an_unknown_detector_is_answered_with_the_nearest() -> None:
    with pytest.raises(DetectionError, match="did you mean error_rate_jump"):
        detector("error_jump")
