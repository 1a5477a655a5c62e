"""What there is of each collection: records, hits, times, services, formats, places, redactions, size, retention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.retain_settings import Layer, Retain
    from logshed.sql.result import Result

    Query = Callable[[str, Mapping[str, object]], Result]

SUMMARY = """
WITH parts AS (
    SELECT
        collection, service_name, log_format, source,
        count(*) AS records,
        count(http_request_method) AS hits,
        count(*) FILTER (WHERE severity_number >= 17) AS errors,
        count(parse_error) AS rejected,
        sum(redaction_count) AS redacted,
        min(timestamp) AS first,
        max(timestamp) AS last,
        min(timestamp) FILTER (WHERE timestamp_source <> 'observed') AS first_told,
        max(timestamp) FILTER (WHERE timestamp_source <> 'observed') AS last_told,
        max(observed_timestamp) AS arrived
    FROM logs
    WHERE $collection IS NULL OR collection = $collection
    GROUP BY ALL
)
SELECT
    collection,
    sum(records)::BIGINT AS records,
    sum(hits)::BIGINT AS hits,
    sum(errors)::BIGINT AS errors,
    sum(rejected)::BIGINT AS rejected,
    coalesce(sum(redacted), 0)::BIGINT AS redacted,
    coalesce(min(first_told), min(first)) AS first,
    coalesce(max(last_told), max(last)) AS last,
    max(arrived) AS arrived,
    count(DISTINCT source) AS sources,
    list(DISTINCT service_name ORDER BY service_name) FILTER (WHERE service_name IS NOT NULL) AS services,
    list(DISTINCT log_format ORDER BY log_format) FILTER (WHERE log_format IS NOT NULL) AS formats
FROM parts
GROUP BY collection
ORDER BY records DESC, collection
"""
TOP = """
SELECT {column} AS name, count(*) AS records, min(timestamp) AS first, max(timestamp) AS last
FROM logs WHERE collection = $collection AND {column} IS NOT NULL
GROUP BY 1 ORDER BY records DESC, name LIMIT $limit
"""
PLACES = """
SELECT
    client_geo_country_iso_code AS country, client_geo_region AS region, client_geo_locality AS city,
    any_value(client_geo_lat) AS latitude, any_value(client_geo_lon) AS longitude, count(*) AS records
FROM logs WHERE collection = $collection AND client_geo_country_iso_code IS NOT NULL
GROUP BY ALL ORDER BY records DESC, country, region, city LIMIT $limit
"""
HISTOGRAM = """
SELECT
    to_timestamp(epoch_us(timestamp) // 1000000 // $step * $step) AS begin,
    count(*) FILTER (WHERE severity_number >= 17) AS errors,
    count(*) FILTER (WHERE severity_number BETWEEN 13 AND 16) AS warnings,
    count(*) AS records
FROM logs WHERE collection = $collection AND timestamp BETWEEN $first AND $last
GROUP BY 1 ORDER BY 1
"""
STEPS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400)
"""Seconds that a bar of a histogram may stand for."""
MOST_BARS = 120
LAYERS: tuple[Layer, ...] = ("bronze", "silver", "gold", "findings", "incidents")
Rows = list[dict[str, Any]]


def summaries(query: Query, collection: str | None = None) -> Rows:
    """Each collection that is seen, those with most records first.

    Args:
        query: Runs a statement.
        collection: Only this one.

    Raises:
        logshed.errors.QueryError: The lake cannot be asked.
    """
    found = _rows(query, SUMMARY, collection=collection)
    return [{**row, "services": row["services"] or [], "formats": row["formats"] or []} for row in found]


def details(query: Query, summary: Mapping[str, Any], limit: int = 10) -> dict[str, Any]:
    """More of one collection: how its records lie in time, its sources, services, formats, countries and places.

    Args:
        query: Runs a statement.
        summary: What ``summaries`` tells of it.
        limit: Rows of each list.

    Returns:
        ``step`` (seconds of a bar), ``histogram``, ``top`` (by ``sources``, ``services``, ``formats``, ``levels``,
        ``countries``) and ``places``. Records that tell no time are in no bar where others do.

    Raises:
        logshed.errors.QueryError: The lake cannot be asked.
    """
    name, first, last = (summary[key] for key in ("collection", "first", "last"))
    seconds = (last - first).total_seconds()
    step = next((one for one in STEPS if seconds / one < MOST_BARS), STEPS[-1])
    columns = {
        "sources": "source",
        "services": "service_name",
        "formats": "log_format",
        "levels": "severity_text",
        "countries": "client_geo_country_iso_code",
    }
    tops = {
        key: _rows(query, TOP.format(column=column), collection=name, limit=limit) for key, column in columns.items()
    }
    return {
        "step": step,
        "histogram": _rows(query, HISTOGRAM, collection=name, step=step, first=first, last=last),
        "top": tops,
        "places": _rows(query, PLACES, collection=name, limit=5 * limit),
    }


def kept(retain: Retain, collection: str) -> dict[str, int | None]:
    """Days for which each layer keeps rows of a collection; None is for ever."""
    days: dict[str, int | None] = {}
    for layer in LAYERS:
        usual, own = retain.days(layer)
        days[layer] = own.get(collection, usual)
    return days


def _rows(query: Query, sql: str, **params: object) -> Rows:
    with query(sql, params) as result:
        rows: Rows = result.pl().to_dicts()
    return rows
