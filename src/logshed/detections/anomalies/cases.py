"""Makes the series of a detector's cases, and judges them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.detections.anomalies import judging
from logshed.detections.anomalies.series import DAY, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.detections.anomalies.model import Case, CaseSeries, Detector

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
"""The first bucket of every case."""


def alarms(detector: Detector, case: Case, seed: int = 1) -> pl.DataFrame:
    """The alarms of a case; as ``judging.alarms``."""
    begin = int(MONDAY.timestamp()) // detector.bucket
    until = begin + int(case.days * DAY) // detector.bucket
    rows = judging.prepared(frame(detector, case, seed), detector)
    return judging.alarms(rows, detector, until - int(case.judge * DAY) // detector.bucket, until)


def frame(detector: Detector, case: Case, seed: int = 1) -> pl.DataFrame:
    """What the detector's statement would answer of a case's series."""
    dice = np.random.default_rng(seed)
    return pl.concat(one for series in case.series for one in _frames(detector, case, series, dice))


def _frames(detector: Detector, case: Case, series: CaseSeries, dice: np.random.Generator) -> Iterator[pl.DataFrame]:
    seconds = np.arange(int(case.days * DAY) // detector.bucket, dtype=float) * detector.bucket
    for copy in range(series.copies):
        values, exposure = draw(series.spec, seconds, dice)
        there = ~np.isnan(values) & ((values > 0) | (exposure > 0) | (detector.fill == "missing"))
        keys = {"collection": "case", **{name: series.keys.get(name, "") for name in detector.keys}}
        if series.copies > 1:
            keys[detector.actor] += f"-{copy}"
        counted = {"exposure": exposure[there]} if series.spec.exposure else {}
        yield pl.DataFrame(
            {
                "bucket": [MONDAY + timedelta(seconds=one) for one in seconds[there]],
                "value": values[there],
                "events": np.ceil(values[there]),
                **counted,
            }
        ).select(*(pl.lit(value).alias(name) for name, value in keys.items()), pl.all())
