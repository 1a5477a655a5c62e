"""Forecasts how much each service will have to do: requests and bytes a second, when a limit is reached, replicas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from logshed.errors import UsageError
from logshed.pipeline.forecasting import DAY, LEAST, LEAST_TREND, LEAST_WEEKLY, WEEK, Model
from logshed.queries.times import LATEST, length, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    Query = Callable[[str, Mapping[str, object]], pl.DataFrame]

HOURS = """
SELECT
    collection,
    service_name AS service,
    CAST(floor(epoch_us(timestamp) / 3600000000.0) AS BIGINT) AS hour,
    count(*) AS requests,
    CAST(coalesce(sum(http_response_body_size), 0) AS DOUBLE) AS bytes
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND ($service IS NULL OR service_name = $service)
  AND coalesce(http_request_method, url_path, CAST(http_response_status_code AS VARCHAR)) IS NOT NULL
GROUP BY 1, 2, 3
"""
METRICS = {"rate": ("requests", "requests/s"), "bytes": ("bytes", "bytes/s")}
"""What is forecast: the column, and the unit of what is told."""
FARTHEST = 2 * 365 * DAY
"""Hours ahead that a limit is looked for in."""
SECONDS = 3600

SUMMARY: dict[str, pl.DataType | type[pl.DataType]] = {
    "collection": pl.String,
    "service": pl.String,
    "metric": pl.String,
    "unit": pl.String,
    "history_days": pl.Float64,
    "now": pl.Float64,
    "trend_percent_a_week": pl.Float64,
    "expected": pl.Float64,
    "p95": pl.Float64,
    "peak": pl.Float64,
    "peak_high": pl.Float64,
    "limit": pl.Float64,
    "reached_at": pl.Datetime("us", "UTC"),
    "earliest_at": pl.Datetime("us", "UTC"),
    "replicas": pl.Int64,
    "note": pl.String,
}
HOURLY: dict[str, pl.DataType | type[pl.DataType]] = {
    "collection": pl.String,
    "service": pl.String,
    "metric": pl.String,
    "time": pl.Datetime("us", "UTC"),
    "actual": pl.Float64,
    "expected": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked.

    Attributes:
        since: First moment of the history.
        until: First moment after it.
        hours: Hours to forecast.
        limits: Limits by metric, in its unit.
        per_replica: Requests a second that one replica takes; None says nothing of replicas.
        collection: The only collection.
        service: The only service.
        coverage: The share of hours that the interval is to hold.
    """

    since: datetime
    until: datetime
    hours: int
    limits: Mapping[str, float | None]
    per_replica: float | None = None
    collection: str | None = None
    service: str | None = None
    coverage: float = 0.9

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: A value is wrong.
        """
        given = {"per_replica": self.per_replica, **{f"limit_{name}": limit for name, limit in self.limits.items()}}
        for name, value in given.items():
            if value is not None and not value > 0:
                raise UsageError(f"cannot take {name} = {value:g}: it is not above 0; give more")
        if not 0 < self.coverage < 1:
            raise UsageError(f"cannot take coverage = {self.coverage:g}: it is no share; give more than 0, less than 1")


@dataclass(frozen=True, slots=True)
class _Series:
    collection: str
    service: str | None
    metric: str
    begin: int
    values: NDArray[np.float64]

    @property
    def own(self) -> dict[str, Any]:
        return {"collection": self.collection, "service": self.service, "metric": self.metric}


def window(
    since: str | datetime, until: str | datetime | None, horizon: str, timezone: str
) -> tuple[datetime, datetime, int]:
    """The first moment of the history, the first after it, and the hours to look ahead.

    Raises:
        UsageError: A time is none.
    """
    now = datetime.now(UTC)
    begin, end = (
        moment(one, now=now, timezone=timezone) if isinstance(one, str) else one
        for one in (since, LATEST if until is None else until)
    )
    hours = math.ceil(length(horizon) / timedelta(hours=1))
    if hours > FARTHEST:
        raise UsageError(f"cannot look {horizon} ahead: no forecast is worth it; take 730d at most")
    return begin, end, hours


def summary(query: Query, wanted: Wanted) -> pl.DataFrame:
    """One row for each service and metric.

    Args:
        query: Runs a statement with parameters.
        wanted: What is asked.

    Returns:
        Rows of ``SUMMARY``; a series whose history is too short has no figures of times to come, and a note that says
        so.

    Raises:
        UsageError: No series has history enough, or there are no requests.
    """
    rows = [_row(one, wanted) for one in _all(query, wanted)]
    if all(row["expected"] is None for row in rows):
        longest = max(row["history_days"] for row in rows)
        raise UsageError(
            f"cannot forecast: the longest history has {longest * DAY:.0f} hours and {LEAST} are needed; "
            "ingest older logs, or wait"
        )
    return pl.DataFrame(rows, schema=SUMMARY, orient="row")


def hourly(query: Query, wanted: Wanted) -> pl.DataFrame:
    """The hours of the history and those to come, with the interval of the latter: rows of ``HOURLY``.

    Raises:
        UsageError: There are no requests.
    """
    parts = [_hours(one, wanted) for one in _all(query, wanted)]
    return pl.concat([pl.DataFrame(schema=HOURLY), *parts])


def _all(query: Query, wanted: Wanted) -> list[_Series]:
    values = {"since": wanted.since, "until": wanted.until, "collection": wanted.collection, "service": wanted.service}
    frame = query(HOURS, values)
    if frame.is_empty():
        raise UsageError("cannot forecast: there are no requests in that time; look at more with --since")
    return list(_series(frame.sort("collection", "service", "hour", nulls_last=True)))


def _series(frame: pl.DataFrame) -> Iterator[_Series]:
    """The series without the last hour of all, which is not over, and with the hours between that have nothing."""
    end = int(frame["hour"].max())  # type: ignore[arg-type]
    for key, own in frame.group_by("collection", "service", maintain_order=True):
        begin = int(own["hour"].min())  # type: ignore[arg-type]
        whole = own.filter(pl.col("hour") < end)
        for metric, (column, _) in METRICS.items():
            values = np.zeros(max(0, end - begin))
            values[(whole["hour"] - begin).to_numpy()] = whole[column].to_numpy()
            yield _Series(str(key[0]), None if key[1] is None else str(key[1]), metric, begin, values)


def _row(one: _Series, wanted: Wanted) -> dict[str, Any]:
    limit = wanted.limits.get(one.metric)
    size = len(one.values)
    row: dict[str, Any] = {
        **one.own,
        "unit": METRICS[one.metric][1],
        "history_days": round(size / DAY, 2),
        "now": float(one.values[-WEEK:].mean()) / SECONDS if size else None,
        "limit": limit,
        "expected": None,
        "note": _note(size),
    }
    if size < LEAST:
        return row
    model = Model(one.values, wanted.coverage)
    ahead = model.ahead(size, wanted.hours)
    level = float(model.level(np.array([size - 1.0]))[0])
    p95 = ahead.quantile(0.95) / SECONDS
    rated = one.metric == "rate" and wanted.per_replica is not None
    return {
        **row,
        "trend_percent_a_week": model.slope * WEEK * 100 / level if level > 0 and size >= LEAST_TREND else None,
        "expected": float(ahead.expected.mean()) / SECONDS,
        "p95": p95,
        "peak": float(ahead.expected.max()) / SECONDS,
        "peak_high": float(ahead.high.max()) / SECONDS,
        **_reached(one, model, limit),
        "replicas": max(1, math.ceil(p95 / wanted.per_replica)) if rated and wanted.per_replica else None,
    }


def _reached(one: _Series, model: Model, limit: float | None) -> dict[str, datetime | None]:
    """When the expected value first is at the limit, and when the upper bound of the interval is."""
    if limit is None:
        return {}
    far = model.ahead(len(one.values), FARTHEST)
    found = {"reached_at": far.expected, "earliest_at": far.high}
    return {name: _first(values >= limit * SECONDS, one.begin + len(one.values)) for name, values in found.items()}


def _first(held: NDArray[np.bool_], begin: int) -> datetime | None:
    return _time(begin + int(held.argmax())) if held.any() else None


def _hours(one: _Series, wanted: Wanted) -> pl.DataFrame:
    size = len(one.values)
    columns: dict[str, list[Any] | NDArray[np.float64]] = {
        "time": [_time(one.begin + hour) for hour in range(size)],
        "actual": one.values / SECONDS,
        "expected": [None] * size,
        "low": [None] * size,
        "high": [None] * size,
    }
    past = pl.DataFrame({**columns}, schema={name: HOURLY[name] for name in columns})
    if size >= LEAST:
        ahead = Model(one.values, wanted.coverage).ahead(size, wanted.hours)
        columns = {
            "time": [_time(one.begin + size + hour) for hour in range(wanted.hours)],
            "actual": [None] * wanted.hours,
            "expected": ahead.expected / SECONDS,
            "low": ahead.low / SECONDS,
            "high": ahead.high / SECONDS,
        }
        past = pl.concat([past, pl.DataFrame(columns, schema=past.schema)])
    named = [pl.lit(value, pl.String).alias(name) for name, value in one.own.items()]
    return past.with_columns(named).select(*HOURLY)


def _time(hour: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)


def _note(size: int) -> str | None:
    if size < LEAST:
        return f"{size} hours of history, {LEAST} are needed: no forecast"
    if size < LEAST_TREND:
        return "less than a week of history: no trend, and hours of the day only"
    return "less than two weeks of history: hours of the day only" if size < LEAST_WEEKLY else None
