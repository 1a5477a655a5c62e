"""The questions of the web application's first pages answered again in plain Python; importing it adds them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.queries.answers import answer, distinct, groups, ordered, percent, quantile, status, total
from tests.queries.answers_of_reports import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.queries.answers import Answer, Asked, Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEPS = {96: 1, 480: 5, 960: 10, 2880: 30, 5760: 60, 28800: 300, 86400: 900, 172800: 1800, 345600: 3600} | {
    1036800: 10800,
    2073600: 21600,
}
SEVERITIES = ((21, "fatal"), (17, "error"), (13, "warn"), (9, "info"), (5, "debug"), (1, "trace"), (0, "unset"))


def begins(row: Row, step_s: int, column: str = "timestamp") -> datetime:
    seconds = (row[column] - EPOCH) // timedelta(seconds=1)
    return EPOCH + timedelta(seconds=seconds - seconds % step_s)


def step(rows: Sequence[Row]) -> int:
    moments = [row["timestamp"] for row in rows] or [EPOCH]
    seconds = (max(moments) - min(moments)) // timedelta(seconds=1)
    return next((width for longest, width in STEPS.items() if seconds <= longest), 86_400)


def severity(row: Row) -> str:
    number = row.get("severity_number") or 0
    return next(name for least, name in SEVERITIES if number >= least)


def lag(row: Row) -> float | None:
    if row["timestamp_source"] == "observed":
        return None
    return max(0.0, (row["observed_timestamp"] - row["timestamp"]) / timedelta(seconds=1))


def came(rows: list[Row]) -> tuple[Any, ...]:
    lags = [quantile(map(lag, rows), share) for share in (0.5, 0.95)]
    return len(rows), rejects(rows), total(rows, "redaction_count"), *lags


def rejects(rows: list[Row]) -> int:
    return sum(row.get("parse_error") is not None for row in rows)


@answer
def severity_over_time(asked: Asked) -> Answer:
    width = step(asked.logs)
    found = groups(asked.logs, lambda row: (begins(row, width), severity(row)))
    return ordered(((*of, len(rows)) for of, rows in found.items()), 1, 2)


@answer
def status_over_time(asked: Asked) -> Answer:
    width = step(asked.logs)
    found = groups(filter(status, asked.logs), lambda row: (begins(row, width), f"{status(row) // 100}xx"))
    return ordered(((*of, len(rows)) for of, rows in found.items()), 1, 2)


@answer
def arrivals(asked: Asked) -> Answer:
    found = groups(asked.logs, lambda row: begins(row, 3_600, "observed_timestamp"))
    return ordered(((of, *came(rows)) for of, rows in found.items()), 1)


@answer
def ingest_totals(asked: Asked) -> Answer:
    if not asked.logs:
        return []
    records, rejected, redacted, *lags = came(asked.logs)
    newest = [max(row[column] for row in asked.logs) for column in ("timestamp", "observed_timestamp")]
    return [(records, rejected, redacted, distinct(asked.logs, "collection"), *lags, *newest)]


@answer
def top_services(asked: Asked) -> Answer:
    found = groups(asked.logs, lambda row: row.get("service_name")).items()
    rows = ((of, len(rows), errors(rows), percent(errors(rows), len(rows))) for of, rows in found)
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def busy_paths(asked: Asked) -> Answer:
    asking = [row for row in asked.logs if status(row) and row.get("url_path") is not None]
    found = groups(asking, lambda row: row["url_path"]).items()
    rows = ((of, len(rows), *(sum(status(row) >= least for row in rows) for least in (400, 500))) for of, rows in found)
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def freshness(asked: Asked) -> Answer:
    newest = max((row["observed_timestamp"] for row in asked.logs), default=EPOCH)
    rows = []
    for of, found in groups(asked.logs, lambda row: row["collection"]).items():
        event, read = (max(row[column] for row in found) for column in ("timestamp", "observed_timestamp"))
        silent = (newest - read) / timedelta(seconds=1)
        rows.append((of, len(found), rejects(found), distinct(found, "service_name"), event, read, silent))
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def incident_totals(asked: Asked) -> Answer:
    found = [row for row in asked.incidents if row["status"] == "open"]
    if not found:
        return []
    grave = sum(row["threat_level"] in {"high", "critical"} for row in found)
    worst = max(row["threat_score"] for row in found)
    assert not math.isnan(worst)
    return [(len(found), grave, worst, max(row["timestamp"] for row in found))]
