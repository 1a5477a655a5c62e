"""Looks how service level objectives stand: what is good, how much of the error budget is left, how fast it burns.

Budgets, burn rates and the windows of alerts are those of Google's SRE Workbook (Beyer and others, 2018), chapter 5,
"Alerting on SLOs", its sixth way, "Multiwindow, Multi-Burn-Rate Alerts": a burn rate of 1 uses up the budget exactly in
the objective's window, and an alert holds while the burn rate is above its bound over a long window and over a twelfth
of it.

Requests are counted in ``logs`` and not in gold tables: a window of five minutes is shorter than their hour, any
threshold of a latency is exact, and no objective depends on when ``logshed aggregate`` ran. Only the columns that are
needed are read, and only files of the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from logshed.objective_settings import Objective

    Query = Callable[[str, Mapping[str, object]], pl.DataFrame]

Status = Literal["page", "ticket", "spent", "ok", "no requests"]

WINDOWS = {
    "5m": timedelta(minutes=5),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "3d": timedelta(days=3),
}
RATE = "6h"
"""The window whose burn rate tells when the budget will be used up: longer than a blip, shorter than a working day."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert of the SRE Workbook's table 5-8.

    Attributes:
        status: What it is for.
        burn: The burn rate above which it holds.
        long: Its longer window.
        short: Its shorter window, by which it ends soon after the errors do.
    """

    status: Status
    burn: float
    long: str
    short: str


ALARMS = (
    Alarm("page", 14.4, "1h", "5m"),
    Alarm("page", 6.0, "6h", "30m"),
    Alarm("ticket", 1.0, "3d", "6h"),
)

GOOD = {
    "availability": "NOT coalesce(http_response_status_code >= 500, severity_number >= 17, false)",
    "latency": "duration_ms <= $threshold",
}
COUNTED = {
    "availability": "coalesce(http_request_method, url_path, CAST(http_response_status_code AS VARCHAR)) IS NOT NULL",
    "latency": "duration_ms IS NOT NULL AND NOT isnan(duration_ms)",
}

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "objective": pl.String,
    "collection": pl.String,
    "service": pl.String,
    "kind": pl.String,
    "target": pl.Float64,
    "threshold_ms": pl.Float64,
    "window": pl.String,
    "total": pl.Int64,
    "good": pl.Int64,
    "achieved": pl.Float64,
    "budget_left_percent": pl.Float64,
    **{f"burn_{name}": pl.Float64 for name in WINDOWS},
    "status": pl.String,
    "alarm": pl.String,
    "used_up_at": pl.Datetime("us", "UTC"),
    "bad_in_alarm": pl.Int64,
    "since": pl.Datetime("us", "UTC"),
    "until": pl.Datetime("us", "UTC"),
}
SHOWN = tuple(name for name in SCHEMA if name not in {"alarm", "bad_in_alarm", "since", "until"})
"""What people are shown; the rest is for findings."""


def look(query: Query, objectives: Sequence[Objective], now: datetime) -> pl.DataFrame:
    """How every objective stands, worst first.

    Args:
        query: Runs a statement with parameters.
        objectives: The objectives.
        now: The present, at which all windows end.

    Returns:
        Rows of ``SCHEMA``: one for each objective and service with requests in its window, or one without a service
        that says ``no requests``. Times to come are in UTC; shares are in percent.
    """
    rows = [row for one in objectives for row in _rows(query, one, now)]
    order = pl.col("status").replace_strict({"page": 0, "spent": 1, "ticket": 2, "ok": 3, "no requests": 4})
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort(
        order, "budget_left_percent", "objective", "collection", "service", nulls_last=True
    )


def _rows(query: Query, objective: Objective, now: datetime) -> list[dict[str, Any]]:
    counts = query(_statement(objective), _values(objective, now))
    rows = [
        _row(objective, one, now)
        for one in counts.iter_rows(named=True)
        if objective.holds_for(one["collection"], one["service"])
    ]
    return rows or [_row(objective, None, now)]


def _statement(objective: Objective) -> str:
    windows = ", ".join(
        f"count(*) FILTER (WHERE timestamp >= $w{name}) AS total_{name}, "
        f"count(*) FILTER (WHERE timestamp >= $w{name} AND good) AS good_{name}"
        for name in ("all", *WINDOWS)
    )
    return (
        f"SELECT collection, service, {windows} FROM ("
        f"SELECT timestamp, collection, service_name AS service, {GOOD[objective.kind]} AS good FROM logs "
        f"WHERE timestamp >= $since AND timestamp < $until AND {COUNTED[objective.kind]}"
        ") AS requests GROUP BY collection, service ORDER BY collection, service"
    )


def _values(objective: Objective, now: datetime) -> dict[str, object]:
    begins = {"all": objective.length, **WINDOWS}
    return {
        "since": now - max(begins.values()),
        "until": now,
        "threshold": objective.threshold_ms,
        **{f"w{name}": now - length for name, length in begins.items()},
    }


def _row(objective: Objective, counts: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    own = {
        "objective": objective.name,
        "kind": objective.kind,
        "target": objective.target,
        "threshold_ms": objective.threshold_ms,
        "window": objective.window,
        "until": now,
    }
    if counts is None or not counts["total_all"]:
        named = {} if counts is None else {"collection": counts["collection"], "service": counts["service"]}
        return {**own, **named, "total": 0, "good": 0, "status": "no requests"}
    burns = {name: burn(counts[f"total_{name}"], counts[f"good_{name}"], objective.budget) for name in WINDOWS}
    left = budget_left(counts["total_all"], counts["good_all"], objective.budget)
    alarm = _alarm(objective, counts, burns)
    status: Status = alarm.status if alarm else "spent" if left <= 0 else "ok"
    window = WINDOWS[alarm.long] if alarm else objective.length
    name = alarm.long if alarm else "all"
    return {
        **own,
        "collection": counts["collection"],
        "service": counts["service"],
        "total": counts["total_all"],
        "good": counts["good_all"],
        "achieved": counts["good_all"] * 100 / counts["total_all"],
        "budget_left_percent": left * 100,
        **{f"burn_{window}": value for window, value in burns.items()},
        "status": status,
        "alarm": f"{alarm.burn:g} over {alarm.long} and {alarm.short}" if alarm else None,
        "used_up_at": used_up(left, burns[RATE], objective.length, now),
        "bad_in_alarm": counts[f"total_{name}"] - counts[f"good_{name}"],
        "since": now - window,
    }


def burn(total: int, good: int, budget: float) -> float | None:
    """How fast the budget burns: the share of bad requests over the share that may be bad; None without requests."""
    return (total - good) / total / budget if total else None


def budget_left(total: int, good: int, budget: float) -> float:
    """The share of the budget that is left, 1 to 0; below 0 it is overdrawn."""
    return 1 - (total - good) / (total * budget)


def used_up(left: float, rate: float | None, window: timedelta, now: datetime) -> datetime | None:
    """When nothing of the budget is left if it goes on burning so; None where it does not.

    A burn rate of 1 uses the whole budget in one window, so what is left lasts ``left / rate`` windows. That old errors
    leave the window meanwhile is not counted on.
    """
    if left <= 0:
        return now
    if not rate or left / rate > 1:
        return None
    return (now + window * (left / rate)).replace(microsecond=0)


def _alarm(objective: Objective, counts: Mapping[str, Any], burns: Mapping[str, float | None]) -> Alarm | None:
    for alarm in ALARMS:
        fast = all((burns[name] or 0) > alarm.burn for name in (alarm.long, alarm.short))
        if fast and counts[f"total_{alarm.long}"] >= objective.min_requests:
            return alarm
    return None
