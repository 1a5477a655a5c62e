"""Templates of messages that are new, or that have vanished, as findings."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.pipeline import findings, patterns
from logshed.schema import FINDINGS, UNMAPPED, polars_schema

if TYPE_CHECKING:
    from datetime import datetime

    from logshed.pipeline.patterns import Change, Query

KINDS: dict[Change, tuple[str, str, str, str, timedelta]] = {
    "new": (
        "new_template",
        "5bb1f4f7-7b25-4a84-9f0e-0f6f6c1c3b61",
        "A message of a new kind",
        "low",
        timedelta(hours=1),
    ),
    "vanished": (
        "vanished_template",
        "0f0d5a0a-93a3-4a7b-8f0e-6a2a4a0c7d52",
        "A message that came no more",
        "informational",
        timedelta(days=1),
    ),
}
"""Name, id, title, level, and how often is looked; days of messages are read for it."""
VERSION = "2026-11-26"
LEAST_BEFORE = 1_000
"""Messages of the time before that must be known: with fewer, most of what comes is new."""
LEAST_VANISHED = 50
"""Messages of a template in the week before below which its absence on one day says nothing."""
MOST = 100
"""Findings of one look; after a deployment everything may be new."""

_SCHEMA = {name: dtype for name, dtype in polars_schema(FINDINGS).items() if name != "batch"}


def find(query: Query, change: Change, since: datetime, now: datetime) -> pl.DataFrame:
    """What is new, or has vanished.

    Args:
        query: Runs a statement with parameters.
        change: Which of the two.
        since: From when on is to be judged.
        now: The present.

    Returns:
        Findings, ``schema.FINDINGS`` without ``batch``.
    """
    begin = since if change == "new" else now - timedelta(days=1)
    rows: list[dict[str, Any]] = []
    for (collection,) in query(
        "SELECT DISTINCT collection FROM logs WHERE timestamp >= $since", {"since": begin}
    ).rows():
        asked = patterns.Asked(begin, now, collection=collection)
        found = patterns.changes(query, asked, patterns.BASELINE, change)
        if found.before >= LEAST_BEFORE and (change == "new" or found.messages):
            kept = found.frame if change == "new" else found.frame.filter(pl.col("count") >= LEAST_VANISHED)
            rows += [_row(change, collection, one, now) for one in kept.head(MOST).iter_rows(named=True)]
    entries = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    return pl.DataFrame(rows, schema={**_SCHEMA, UNMAPPED: entries}, orient="row").cast({UNMAPPED: _SCHEMA[UNMAPPED]})


def _row(change: Change, collection: str, one: dict[str, Any], now: datetime) -> dict[str, Any]:
    name, rule, title, level, _ = KINDS[change]
    services = one["services"] or []
    service = services[0] if len(services) == 1 else None
    since = "since" if change == "new" else "last at"
    moment = one["first_seen"] if change == "new" else one["last_seen"]
    identity = f"{rule}|{collection}|{one['id']}|{moment:%Y-%m-%d}"
    return {
        "finding_id": hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest(),
        "timestamp": one["first_seen"],
        "end_timestamp": one["last_seen"],
        "observed_timestamp": now,
        "collection": collection,
        "rule_id": rule,
        "rule_name": name,
        "rule_title": title,
        "rule_version": VERSION,
        "rule_author": "Logshed",
        "rule_kind": "template",
        "level": level,
        "confidence": "low",
        "actor_type": "service_name" if service else None,
        "actor": service,
        "service_name": service,
        "event_count": one["count"],
        "score": findings.score(level, "low", one["count"]),
        "explanation": f"{title}: {one['template'][:300]!r}, {one['count']:,} times, {since} {moment:%F %H:%M} UTC.",
        UNMAPPED: [{"key": "template", "value": one["template"]}, {"key": "example", "value": one["example"]}],
    }
