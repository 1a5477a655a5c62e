"""Service level objectives that are in danger, as findings: one for as long as an alert goes on."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.pipeline import findings, objectives
from logshed.schema import FINDINGS, UNMAPPED, polars_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logshed.alert_settings import Level
    from logshed.objective_settings import Objective
    from logshed.pipeline.objectives import Query

KINDS: dict[str, tuple[str, str, str, Level, timedelta]] = {
    "page": (
        "slo_burns_fast",
        "0d9b8a52-6a4e-4c35-8f5b-3c0f5a1e7d11",
        "An error budget burns fast",
        "critical",
        timedelta(hours=6),
    ),
    "ticket": (
        "slo_burns",
        "7b0b6c0f-9f0e-4a7c-8a43-6f4f0d1c2e12",
        "An error budget will not last",
        "medium",
        timedelta(days=3),
    ),
    "spent": (
        "slo_spent",
        "c4b5c1de-3c0a-4a55-9d59-51e60d8a4f13",
        "An error budget is used up",
        "high",
        timedelta(days=3),
    ),
}
"""Name, id, title and level of a status, and how long it may pause and still be the same finding."""
VERSION = "2026-11-26"
KIND = "objective"
KNOWN = (
    "SELECT finding_id, rule_id, collection, service_name, attributes['objective'] AS objective, timestamp,"
    " end_timestamp, event_count FROM findings WHERE rule_kind = 'objective'"
)

_SCHEMA = {name: dtype for name, dtype in polars_schema(FINDINGS).items() if name != "batch"}


def find(query: Query, wanted: Sequence[Objective], now: datetime) -> pl.DataFrame:
    """What is to be told of the objectives.

    Args:
        query: Runs a statement with parameters.
        wanted: The objectives.
        now: The present.

    Returns:
        Findings, ``schema.FINDINGS`` without ``batch``. One that goes on keeps its id, its beginning and the greatest
        count of bad requests that it had.
    """
    stands = objectives.look(query, wanted, now) if wanted else pl.DataFrame(schema=objectives.SCHEMA)
    wrong = stands.filter(pl.col("status").is_in(list(KINDS)))
    known = query(KNOWN, {}).to_dicts() if not wrong.is_empty() else []
    rows = [_row(one, known, now) for one in wrong.iter_rows(named=True)]
    entries = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    return pl.DataFrame(rows, schema={**_SCHEMA, UNMAPPED: entries}, orient="row").cast({UNMAPPED: _SCHEMA[UNMAPPED]})


def _row(one: dict[str, Any], known: Sequence[dict[str, Any]], now: datetime) -> dict[str, Any]:
    name, rule, title, level, pause = KINDS[one["status"]]
    before = _going_on(one, known, rule, now - pause)
    begin = before["timestamp"] if before else one["since"]
    events = max(one["bad_in_alarm"], before["event_count"] if before else 0)
    identity = f"{rule}|{one['collection']}|{one['service']}|{one['objective']}|{begin:%Y-%m-%dT%H:%M}"
    return {
        "finding_id": before["finding_id"]
        if before
        else hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest(),
        "timestamp": begin,
        "end_timestamp": now,
        "observed_timestamp": now,
        "collection": one["collection"],
        "rule_id": rule,
        "rule_name": name,
        "rule_title": title,
        "rule_version": VERSION,
        "rule_author": "Logshed",
        "rule_kind": KIND,
        "level": level,
        "confidence": "high",
        "actor_type": "service_name" if one["service"] else None,
        "actor": one["service"],
        "service_name": one["service"],
        "event_count": events,
        "score": findings.score(level, "high", events),
        "explanation": _sentence(one),
        UNMAPPED: [
            {"key": key, "value": None if one[key] is None else str(one[key])}
            for key in ("objective", "target", "threshold_ms", "window", "achieved", "budget_left_percent", "alarm")
        ],
    }


def _going_on(
    one: dict[str, Any], known: Sequence[dict[str, Any]], rule: str, since: datetime
) -> dict[str, Any] | None:
    """The newest finding of the same that has not paused for too long."""
    same = [
        row
        for row in known
        if row["rule_id"] == rule
        and (row["collection"], row["service_name"], row["objective"])
        == (one["collection"], one["service"], one["objective"])
        and row["end_timestamp"] >= since
    ]
    return max(same, key=lambda row: row["end_timestamp"], default=None)


def _sentence(one: dict[str, Any]) -> str:
    service = f"service {one['service']!r}" if one["service"] else "requests without a service"
    stand = f"{one['achieved']:.3f} % of {one['target']:g} % in {one['window']}"
    left = f"{max(0.0, one['budget_left_percent']):.1f} % of the error budget left"
    burns = f", burn rate above {one['alarm']}" if one["alarm"] else ""
    end = f", used up at {one['used_up_at']:%F %H:%M} UTC at this rate" if one["used_up_at"] and burns else ""
    return f"Objective {one['objective']!r} of {service}: {stand}{burns}, {left}{end}."
