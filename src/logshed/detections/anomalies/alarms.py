"""From buckets that are off to alarms: one event is one alarm, however many buckets it has.

An alarm needs several buckets over an upper line, and goes on until its values stay below a lower one: a threshold
on each bucket alone floods (precision 0.13 on labelled series).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logshed.detections.anomalies.methods import Judged

    Floats = NDArray[np.float64]
Direction = Literal["high", "low"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """When buckets that are off are an alarm.

    Attributes:
        direction: ``high`` or ``low``.
        start: The upper line, on the method's scale.
        end: The lower line.
        sure: A line above which one bucket is enough; None where none is.
        over: Buckets over the upper line that it takes …
        among: … among so many in a row.
        quiet: Buckets below the lower line that end it.
        least_value: Least value (``high``), or least expected value (``low``).
        least_ratio: How many times more (or less) than expected it must be.
    """

    direction: Direction
    start: float
    end: float
    sure: float | None = None
    over: int = 1
    among: int = 1
    quiet: int = 3
    least_value: float = 0.0
    least_ratio: float = 1.0


def off_buckets(values: Floats, judged: Judged, places: NDArray[np.int64], alarm: Alarm) -> pl.DataFrame:
    """The buckets over the lower line.

    Args:
        values: Series x places.
        judged: What the method says of them.
        places: The places' numbers.
        alarm: The lines.

    Returns:
        ``series``, ``place``, ``begun`` (where it began), ``off`` (in the alarm's direction), ``value``, ``centre``,
        ``spread``.
    """
    high = alarm.direction == "high"
    off = judged.off if high else -judged.off
    more, less = (values, judged.centre) if high else (judged.centre, values)
    with np.errstate(invalid="ignore"):
        far = (off >= alarm.end) & (more >= alarm.least_ratio * less) & (more >= alarm.least_value)
    rows, columns = np.nonzero(far)
    return pl.DataFrame(
        {
            "series": rows.astype(np.int64),
            "place": places[columns],
            "begun": places[columns] - (0 if judged.ago is None else judged.ago[far].astype(np.int64)),
            "off": off[far],
            "value": (values if judged.seen is None else judged.seen)[far],
            "centre": judged.centre[far],
            "spread": judged.spread[far],
        }
    )


def events(buckets: pl.DataFrame, alarm: Alarm) -> pl.DataFrame:
    """The alarms that buckets make.

    Args:
        buckets: As ``off_buckets`` gives them.
        alarm: The lines.

    Returns:
        One row an alarm: ``series``, ``first`` and ``last`` place, ``buckets`` over the lower line, and ``place``,
        ``off``, ``value``, ``centre``, ``spread`` of its peak.
    """
    over = (pl.col("off") >= alarm.start).cast(pl.Int64)
    run = (pl.col("place").diff() > alarm.quiet).fill_null(value=False).cum_sum()
    peak = pl.col("off").arg_max()
    found = (
        buckets.sort("series", "place")
        .with_columns(run=run.over("series"), over=over)
        .with_columns(among=pl.col("over").rolling_sum_by("place", f"{alarm.among}i").over("series", "run"))
        .group_by("series", "run", maintain_order=True)
        .agg(
            first=pl.col("begun").min(),
            last=pl.col("place").last(),
            buckets=pl.len(),
            among=pl.col("among").max(),
            highest=pl.col("off").max(),
            **{name: pl.col(name).get(peak) for name in ("place", "off", "value", "centre", "spread")},
        )
    )
    sure = pl.col("highest") >= (alarm.sure if alarm.sure is not None else np.inf)
    return found.filter((pl.col("among") >= alarm.over) | sure).drop("run", "among", "highest")
