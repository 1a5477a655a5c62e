"""Groups findings by actor and time into incidents, and keeps what people decided about them."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from logshed.detections.model import LEVELS
from logshed.schema import INCIDENTS, polars_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

GAP_S = 24 * 3600
"""Findings about one actor that lie no further apart are one incident, in seconds."""
THREAT = ((90.0, "critical"), (70.0, "high"), (40.0, "medium"), (0.0, "low"))
"""Least combined score of each threat level; the scores of one finding by level are in ``findings.BASE``."""
TIMELINE = 200
"""Findings that a timeline shows at most."""
KEY = ("collection", "actor_type", "actor")

SCHEMA = {name: dtype for name, dtype in polars_schema(INCIDENTS).items() if name != "batch"}


def group(findings: pl.DataFrame, changed: set[str], known: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """New versions of the incidents that changed findings belong to.

    Args:
        findings: All findings of the actors concerned, newest versions.
        changed: Ids of those that are new or go on.
        known: Incidents of these actors, newest versions.
        now: When it is done.

    Returns:
        Rows of ``security.incidents`` without a batch.
    """
    findings = findings.filter(pl.col("actor").is_not_null())
    closed = {one for row in known.filter(pl.col("status") == "closed")["timeline"] for one in _ids(row)}
    findings = findings.filter(pl.col("finding_id").is_in(changed) | ~pl.col("finding_id").is_in(closed))
    if findings.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    rows = [
        _row(part, before, now)
        for part in _runs(findings)
        if not changed.isdisjoint(part["finding_id"])
        for before in [_before(part, known)]
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _runs(findings: pl.DataFrame) -> Iterator[pl.DataFrame]:
    findings = findings.sort(*KEY, "timestamp", "finding_id")
    reached = pl.col("end_timestamp").cum_max().shift(1).over(KEY)
    apart = (pl.col("timestamp") - reached > pl.duration(seconds=GAP_S)).fill_null(value=True)
    yield from findings.with_columns(run=apart.cum_sum()).partition_by(*KEY, "run", maintain_order=True)


def _before(part: pl.DataFrame, known: pl.DataFrame) -> Mapping[str, Any] | None:
    """The incident that is not closed and holds one of these findings, or lies near them."""
    near = pl.duration(seconds=GAP_S)
    same = known.filter(
        (pl.col("status") != "closed")
        & (pl.col("collection") == part["collection"][0])
        & (pl.col("actor") == part["actor"][0])
        & (pl.col("timestamp") - near <= part["end_timestamp"].max())
        & (pl.col("end_timestamp") + near >= part["timestamp"].min())
    )
    return next(same.sort("timestamp").iter_rows(named=True), None)


def _row(part: pl.DataFrame, before: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    first = part.row(0, named=True)
    combined = combined_score(part)
    name = "|".join(str(first[key]) for key in (*KEY, "finding_id"))
    addresses = part["client_address"].drop_nulls()
    muted = before is not None and before["status"] == "muted" and (before["muted_until"] or now) >= now
    return {
        "incident_id": before["incident_id"]
        if before
        else hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(),
        "timestamp": part["timestamp"].min(),
        "end_timestamp": part["end_timestamp"].max(),
        "updated_timestamp": now,
        **{key: first[key] for key in KEY},
        "source_ip": addresses[0] if len(addresses) else None,
        "status": "muted" if muted else "open",
        "threat_score": combined,
        "threat_score_max": part["score"].max(),
        "threat_level": threat_level(combined),
        "severity_level": max(part["level"], key=LEVELS.index),
        "event_count": part["event_count"].sum(),
        "finding_count": part.height,
        "rules": " ".join(part["rule_name"].unique().sort()),
        "timeline": orjson.dumps(_timeline(part)).decode(),
        "notes": before["notes"] if before else None,
        "muted_until": before["muted_until"] if before and muted else None,
        "assignee": before.get("assignee") if before else None,
    }


def combined_score(part: pl.DataFrame) -> float:
    """The chance that at least one rule is right, taking each rule's best score as a chance of its own, times 100."""
    best = part.group_by("rule_name").agg(pl.col("score").max())["score"]
    wrong: float = math.prod(1 - min(one, 99.9) / 100 for one in best)
    return round(100 * (1 - wrong), 1)


def threat_level(combined: float) -> str:
    """The level of a combined score."""
    return next(level for least, level in THREAT if combined >= least)


def _timeline(part: pl.DataFrame) -> list[dict[str, Any]]:
    shown = part.sort("timestamp").head(TIMELINE)
    names = ("finding_id", "timestamp", "end_timestamp", "rule_name", "level", "event_count", "explanation")
    return [{name: row[name] for name in names} for row in shown.iter_rows(named=True)]


def _ids(timeline: str | None) -> set[str]:
    return {one["finding_id"] for one in orjson.loads(timeline or "[]")}
