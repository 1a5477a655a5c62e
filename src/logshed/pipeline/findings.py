"""Makes findings of hits: what one actor did by one rule within some time is one finding, told in a sentence."""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from logshed.pipeline.correlate import correlate
from logshed.pipeline.rule_scan import KEY
from logshed.schema import FINDINGS, UNMAPPED, polars_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from logshed.detections.model import Rule

GAP_S = 3600.0
"""Hits of one actor by one rule that lie no further apart are one finding, in seconds."""
EVIDENCE = 100
"""Records that a finding names at most."""
MOST = 1000
"""Findings of one rule in one run; what is more is summed up in one that says so, since such a rule floods."""
BASE = {"informational": 5.0, "low": 20.0, "medium": 40.0, "high": 70.0, "critical": 90.0}
"""Score of one record, by level; every tenfold adds 5, low confidence halves. Our own scale: 0 to 100."""
KNOWN = ("finding_id", "rule_id", "collection", "actor", "timestamp", "end_timestamp", "event_count", "evidence")
"""Columns of findings that new hits may prolong."""

_SCHEMA = polars_schema(FINDINGS)
_PLURAL = re.compile(r"\b([0-9,]+) (\w+)\(s\)")


def make(rules: Mapping[str, Rule], hits: pl.DataFrame, known: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Findings of new hits.

    Args:
        rules: The rules by name.
        hits: Hits (``rule``, the record's key, ``timestamp``, ``collection`` and what the rules carry) with ``is_new``;
            those that are not new are only context for correlations.
        known: Findings of before (``KNOWN``), which new hits may prolong.
        now: When they are found.

    Returns:
        Rows of ``security.findings`` without a batch; one that prolongs a known finding has its id and counts both.
    """
    parts = [_of_rule(rule, hits, known, now) for rule in rules.values()]
    rows = [row for part in parts for row in part]
    schema = {name: dtype for name, dtype in _SCHEMA.items() if name != "batch"}
    if not rows:
        return pl.DataFrame(schema=schema)
    entries = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    return pl.DataFrame(rows, schema={**schema, UNMAPPED: entries}, orient="row").cast({UNMAPPED: schema[UNMAPPED]})


def _of_rule(rule: Rule, hits: pl.DataFrame, known: pl.DataFrame, now: datetime) -> list[dict[str, Any]]:
    if rule.correlation is not None:
        own = correlate(rule, hits)
        gap = max(rule.correlation.timespan_s, rule.correlation.reach_s, 1.0)
    else:
        own = hits.filter((pl.col("rule") == rule.name) & pl.col("is_new")).with_columns(fires=pl.lit(value=True))
        own, gap = own.with_columns(group=actor_of(rule).fill_null("")), GAP_S
    if own.is_empty() or not own["fires"].any():
        return []
    islands = _islands(own, rule, gap)
    rows = [_row(rule, island, known, now, gap) for island in islands.head(MOST).iter_rows(named=True)]
    if islands.height > MOST:
        rows.append(_flood(rule, islands, now))
    return rows


def none() -> pl.DataFrame:
    """No findings of before."""
    return pl.DataFrame(schema={name: _SCHEMA[name] for name in KNOWN})


def actor_of(rule: Rule) -> pl.Expr:
    """Who did it: the first of the rule's columns that is filled."""
    return (
        pl.coalesce([pl.col(name).cast(pl.String) for name in rule.actors]) if rule.actors else pl.lit(None, pl.String)
    )


def _islands(own: pl.DataFrame, rule: Rule, gap: float) -> pl.DataFrame:
    """Runs of hits of one group, none further than ``gap`` from the one before; one fires, and one is new."""
    own = own.sort("collection", "group", "timestamp", maintain_order=True)
    keys = ["collection", "group"]
    apart = (pl.col("timestamp") - pl.col("timestamp").shift(1).over(keys)) > pl.duration(
        milliseconds=round(gap * 1000)
    )
    own = own.with_columns(island=apart.fill_null(value=True).cum_sum())
    record = pl.concat_str([pl.col(name).cast(pl.String) for name in KEY], separator="|")
    named = [pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in rule.actors]
    own = own.with_columns(
        record=record,
        actor=actor_of(rule),
        actor_type=pl.coalesce(named) if named else pl.lit(None, pl.String),
    )
    islands = own.group_by(*keys, "island", maintain_order=True).agg(
        pl.col("timestamp").min(),
        end_timestamp=pl.col("timestamp").max(),
        fired=pl.col("fires").any() & pl.col("is_new").any(),
        total=pl.len().cast(pl.Int64),
        new=pl.col("is_new").sum().cast(pl.Int64),
        first=pl.col("record").first(),
        records=pl.col("record").head(EVIDENCE),
        **{
            name: pl.col(name).drop_nulls().first()
            for name in ("matched", "actor", "actor_type", "client_address", "user_id", "service_name")
        },
    )
    return islands.filter("fired")


def _row(rule: Rule, island: Mapping[str, Any], known: pl.DataFrame, now: datetime, gap: float) -> dict[str, Any]:
    before = _prolonged(rule, island, known, gap)
    count, start, end = island["total"], island["timestamp"], island["end_timestamp"]
    evidence = [hashlib.md5(one.encode(), usedforsecurity=False).hexdigest() for one in island["records"]]
    identity = f"{rule.id}|{island['collection']}|{island['group']}|{island['first']}"
    finding_id = hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest()
    if before is not None:
        finding_id, count = before["finding_id"], max(before["event_count"] + island["new"], count)
        start, end = min(start, before["timestamp"]), max(end, before["end_timestamp"])
        evidence = list(dict.fromkeys([*orjson.loads(before["evidence"] or "[]"), *evidence]))[:EVIDENCE]
    said = {
        "count": count,
        "start": start,
        "end": end,
        **{key: island[key] for key in ("actor", "client_address", "user_id", "service_name")},
    }
    return {
        "finding_id": finding_id,
        "timestamp": start,
        "end_timestamp": end,
        "observed_timestamp": now,
        "collection": island["collection"],
        "actor_type": island["actor_type"],
        "actor": island["actor"],
        "client_address": island["client_address"],
        "user_id": island["user_id"],
        "service_name": island["service_name"],
        "event_count": count,
        "score": score(rule.level, rule.confidence, count),
        "explanation": _sentence(rule, said),
        "evidence": orjson.dumps(evidence).decode(),
        "attributes": _matched(island["matched"]),
        **_about(rule),
    }


def _matched(told: str | None) -> list[dict[str, str]] | None:
    """What the rule's fields held in the first record, as a map's entries."""
    values = orjson.loads(told) if told else {}
    return [{"key": f"matched.{name}", "value": value} for name, value in values.items() if value is not None] or None


def _about(rule: Rule) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "rule_name": rule.name,
        "rule_title": rule.title,
        "rule_version": rule.version,
        "rule_author": rule.author or None,
        "rule_kind": "event" if rule.correlation is None else "correlation",
        "level": rule.level,
        "confidence": rule.confidence,
        "technique": rule.techniques or None,
    }


def _prolonged(rule: Rule, island: Mapping[str, Any], known: pl.DataFrame, gap: float) -> Mapping[str, Any] | None:
    """The finding of before that these hits go on with."""
    near = pl.duration(milliseconds=round(gap * 1000))
    same = known.filter(
        (pl.col("rule_id") == rule.id)
        & (pl.col("collection") == island["collection"])
        & pl.col("actor").eq_missing(pl.lit(island["actor"], pl.String))
        & (pl.col("timestamp") - near <= island["end_timestamp"])
        & (pl.col("end_timestamp") + near >= island["timestamp"])
    )
    return next(same.sort("timestamp").iter_rows(named=True), None)


def _flood(rule: Rule, islands: pl.DataFrame, now: datetime) -> dict[str, Any]:
    """One finding for all that a rule that matches too much would have found."""
    rest = islands.slice(MOST)
    first = rest.row(0, named=True)
    count = int(rest["total"].sum())
    return {
        **_about(rule),
        "finding_id": hashlib.md5(f"{rule.id}|flood|{first['first']}".encode(), usedforsecurity=False).hexdigest(),
        "timestamp": rest["timestamp"].min(),
        "end_timestamp": rest["end_timestamp"].max(),
        "observed_timestamp": now,
        "collection": first["collection"],
        "event_count": count,
        "score": score(rule.level, rule.confidence, count),
        "explanation": f"{rule.title}: the rule floods; this sums up {rest.height:,} more ({count:,} records).",
        "evidence": orjson.dumps([]).decode(),
    }


def _sentence(rule: Rule, said: Mapping[str, Any]) -> str:
    count = said["count"]
    own = {"span": _span(said["start"], said["end"]), "times": "once" if count == 1 else f"{count:,} times"}
    shown = {key: "" if value is None else value for key, value in said.items()} | own
    if rule.explanation:
        try:
            return _PLURAL.sub(_numbered, rule.explanation.format_map(shown))
        except (KeyError, IndexError, ValueError):
            return f"{rule.title}. ({rule.explanation})"
    who = f" by {said['actor']}" if said["actor"] else ""
    records = "1 record" if said["count"] == 1 else f"{said['count']:,} records"
    return f"{rule.title}: {records}{who} {own['span']}."


def _numbered(found: re.Match[str]) -> str:
    """``1 request(s)`` and ``2 request(s)`` as one writes them."""
    return f"{found[1]} {found[2]}" if found[1] == "1" else f"{found[1]} {found[2]}s"


def _span(start: datetime, end: datetime) -> str:
    if (end - start).total_seconds() < 1:
        return f"at {start:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"from {start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S}"
        + ("" if start.date() == end.date() else f" on {end:%Y-%m-%d}")
        + " UTC"
    )


def score(level: str, confidence: str, count: int) -> float:
    """0 to 100; see ``BASE``."""
    value = BASE[level] * (1.0 if confidence == "high" else 0.5) + 5 * math.log10(max(count, 1))
    return round(min(value, 100.0), 1)
