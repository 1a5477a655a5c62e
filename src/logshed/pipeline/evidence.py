"""What an incident rests on: its records with their raw lines, who its actor is, where they are, what else they did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from logshed.schema import SILVER_BY_NAME, UNMAPPED
from logshed.sql.views import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from logshed.pipeline.casebook import Ask

BARS = 60
"""Bars of the actor's records over time, at most."""
STEPS_S = (1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000)
PLACES = 200
FINDINGS = """
SELECT finding_id, timestamp, end_timestamp, rule_name, rule_title, level, confidence, technique, event_count, score,
    explanation, evidence, attributes, service_name, user_id
FROM findings
WHERE collection = $collection AND list_contains($ids, finding_id)
ORDER BY timestamp, finding_id
"""
RECORDS = """
SELECT * FROM logs
WHERE collection = $collection AND timestamp >= $first AND timestamp <= $last AND list_contains($ids, record_id)
ORDER BY timestamp, source, "offset", item
"""
LINES = """
SELECT source, generation, "offset", text FROM lines
WHERE collection = $collection AND list_contains($batches, batch) AND list_contains($sources, source)
    AND list_contains($offsets, "offset")
"""
KNOWN = """
SELECT incident_id, timestamp, end_timestamp, status, threat_level, threat_score, collection, rules FROM incidents
WHERE actor = $actor AND incident_id <> $id ORDER BY end_timestamp DESC LIMIT 20
"""
WHOLE = ("source", "generation", "offset")
FACTS = (
    "client_geo_country_iso_code", "client_geo_region", "client_geo_locality", "client_as_number", "client_as_name",
    "client_network", "client_is_internal", "client_threat_list", "client_risk_level",
)  # fmt: skip
"""What enrichment tells of an address."""
LISTED = (
    "service_name", "user_id", "user_agent_original", "url_path", "http_request_method", "http_response_status_code",
    "event_name", "host_name",
)  # fmt: skip
"""Columns whose values say what somebody does."""
MOST_LISTED = 5


class Evidence(NamedTuple):
    """Records of an incident.

    Attributes:
        items: The records: columns that are filled, ``line`` as it was received where it is still kept, and the
            ``rules`` that they met.
        total: Records that the findings name in all.
    """

    items: list[dict[str, Any]]
    total: int


def findings_of(ask: Ask, incident: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings of an incident, each with what matched; as many as its timeline shows."""
    ids = [one["finding_id"] for one in orjson.loads(incident["timeline"] or "[]")]
    rows = ask(FINDINGS, params={"collection": incident["collection"], "ids": ids}).pl().to_dicts()
    return [
        row | {"evidence": orjson.loads(row["evidence"] or "[]"), UNMAPPED: dict(row[UNMAPPED] or {})} for row in rows
    ]


def records(ask: Ask, incident: Mapping[str, Any], *, offset: int = 0, limit: int = 50) -> Evidence:
    """The records that an incident's findings name, in the order of the findings.

    Args:
        ask: Runs statements.
        incident: The incident, a row of ``security.incidents``.
        offset: Records to pass over.
        limit: At most so many.
    """
    met: dict[str, list[str]] = {}
    spans: dict[str, tuple[datetime, datetime]] = {}
    for one in findings_of(ask, incident):
        for record in one["evidence"]:
            met.setdefault(record, []).append(one["rule_name"])
            first, last = spans.get(record, (one["timestamp"], one["end_timestamp"]))
            spans[record] = (min(first, one["timestamp"]), max(last, one["end_timestamp"]))
    wanted = list(met)[offset : offset + limit]
    if not wanted:
        return Evidence([], len(met))
    asked = {
        "collection": incident["collection"],
        "ids": wanted,
        "first": min(spans[one][0] for one in wanted),
        "last": max(spans[one][1] for one in wanted),
    }
    found = ask(RECORDS, params=asked).pl()
    lines = _lines(ask, incident["collection"], found)
    return Evidence([_record(row, lines, met) for row in found.iter_rows(named=True)], len(met))


def _lines(ask: Ask, collection: str, found: pl.DataFrame) -> dict[tuple[Any, ...], str]:
    if found.is_empty():
        return {}
    asked: dict[str, object] = {
        "collection": collection,
        "batches": found["batch"].unique().to_list(),
        "sources": found["source"].unique().to_list(),
        "offsets": found["offset"].unique().to_list(),
    }
    return {tuple(row[:3]): row[3] for row in ask(LINES, params=asked).rows()}


def _record(
    row: Mapping[str, Any], lines: Mapping[tuple[Any, ...], str], met: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    own = {name: value for name, value in row.items() if value is not None and name != UNMAPPED}
    line = lines.get(tuple(row[name] for name in WHOLE))
    return own | {UNMAPPED: dict(row[UNMAPPED] or {}), "line": line, "rules": list(met[row["record_id"]])}


def actor_in_sql(actor_type: str | None) -> str | None:
    """The expression of ``logs`` that names the actor; None where none does."""
    if actor_type in SILVER_BY_NAME:
        return f"CAST({quoted(str(actor_type))} AS VARCHAR)"
    key = (actor_type or "").removeprefix(f"{UNMAPPED}.")
    return f"{UNMAPPED}[{literal(key)}]" if key and key != actor_type else None


def actor(ask: Ask, incident: Mapping[str, Any]) -> dict[str, Any]:
    """Who an incident's actor is, by their records in its time: facts, places, how much when, other incidents.

    Args:
        ask: Runs statements.
        incident: The incident, a row of ``security.incidents``.
    """
    named = actor_in_sql(incident["actor_type"])
    if named is None or incident["actor"] is None:
        return {"records": 0, "facts": {}, "values": {}, "places": [], "step": 0, "activity": [], "incidents": []}
    step = _step((incident["end_timestamp"] - incident["timestamp"]).total_seconds())
    begin, end = _grid(incident["timestamp"], step), _grid(incident["end_timestamp"], step) + timedelta(seconds=step)
    own = f"collection = $collection AND {named} = $actor AND timestamp >= $begin AND timestamp < $end"
    asked = {"collection": incident["collection"], "actor": incident["actor"], "begin": begin, "end": end}
    facts = ask(_facts(own), params=asked).pl().row(0, named=True)
    values = {name: facts.pop(f"v_{name}") or [] for name in LISTED}
    return {
        "records": facts.pop("records"),
        "facts": {name: value for name, value in facts.items() if value is not None},
        "values": {name: [str(one) for one in found] for name, found in values.items() if found},
        "places": ask(_places(own), params=asked).pl().to_dicts(),
        "step": step,
        "begin": begin,
        "end": end,
        "activity": ask(_activity(own, step), params=asked).pl().to_dicts(),
        "incidents": ask(KNOWN, params={"actor": incident["actor"], "id": incident["incident_id"]}).pl().to_dicts(),
    }


def _facts(own: str) -> str:
    told = ", ".join(f"mode({name}) AS {name}" for name in FACTS)
    listed = ", ".join(f"approx_top_k({name}, {MOST_LISTED}) AS v_{name}" for name in LISTED)
    return f"SELECT count(*) AS records, {told}, {listed} FROM logs WHERE {own}"


def _places(own: str) -> str:
    return f"""
SELECT client_geo_country_iso_code AS country, client_geo_locality AS locality,
    round(client_geo_lat, 1) AS lat, round(client_geo_lon, 1) AS lon, count(*) AS records
FROM logs WHERE {own} AND client_geo_country_iso_code IS NOT NULL
GROUP BY ALL ORDER BY records DESC, country, locality LIMIT {PLACES}"""


def _activity(own: str, step: int) -> str:
    return f"""
SELECT time_bucket(INTERVAL {step} SECOND, timestamp) AS bucket, count(*) AS records,
    count(*) FILTER (http_response_status_code >= 400 OR severity_number >= 17 OR event_outcome = 'failure') AS failed
FROM logs WHERE {own} GROUP BY 1 ORDER BY 1"""


def _step(seconds: float) -> int:
    return next((step for step in STEPS_S if seconds / step <= BARS), STEPS_S[-1])


def _grid(moment: datetime, step: int) -> datetime:
    """The beginning of the bucket, as DuckDB's ``time_bucket`` has it for widths below a month."""
    origin = datetime(2000, 1, 3, tzinfo=UTC)
    return origin + timedelta(seconds=(moment - origin).total_seconds() // step * step)
