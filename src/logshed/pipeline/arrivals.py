"""What arrives: each source with its newest records, how late and how many; what no format took; the ledger's sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from logshed.lake.store import Store
    from logshed.sql.result import Result

    Query = Callable[[str, Mapping[str, object]], Result]

SOURCES = """
SELECT
    collection,
    source,
    list(DISTINCT log_format ORDER BY log_format) FILTER (WHERE log_format IS NOT NULL) AS formats,
    count(*) AS records,
    count(parse_error) AS rejected,
    min(timestamp) FILTER (WHERE timestamp_source <> 'observed') AS first,
    max(timestamp) FILTER (WHERE timestamp_source <> 'observed') AS last,
    max(observed_timestamp) AS arrived,
    count(*) FILTER (WHERE observed_timestamp >= $now - INTERVAL 1 HOUR) AS last_hour,
    median(epoch_us(observed_timestamp) - epoch_us(timestamp)) FILTER (
        WHERE timestamp_source <> 'observed' AND observed_timestamp >= $now - INTERVAL 1 DAY
    ) / 1e6 AS late_s
FROM logs
WHERE observed_timestamp >= $since
  AND ($collection IS NULL OR collection = $collection)
  AND ($words IS NULL OR contains(lower(source), lower($words)))
GROUP BY collection, source
ORDER BY arrived DESC, collection, source
LIMIT $limit OFFSET $skip
"""
REJECTED = """
SELECT
    collection,
    source,
    format,
    parse_error AS reason,
    count(*) AS records,
    sum(line_count)::BIGINT AS lines,
    min(observed_timestamp) AS first,
    max(observed_timestamp) AS last,
    max_by(left(text, 2000), observed_timestamp, 3) AS samples
FROM lines
WHERE parse_error IS NOT NULL
  AND observed_timestamp >= $since
  AND ($collection IS NULL OR collection = $collection)
GROUP BY collection, source, format, parse_error
ORDER BY records DESC, collection, source, reason
LIMIT $limit OFFSET $skip
"""
COUNTS = ("read", "stored", "rejected", "dropped", "cut")
Rows = list[dict[str, Any]]


def sources(
    query: Query,
    *,
    since: datetime,
    now: datetime,
    collection: str | None = None,
    words: str | None = None,
    limit: int = 200,
    skip: int = 0,
) -> Rows:
    """Sources, those first of which something was read last.

    Args:
        query: Runs a statement.
        since: Only what was read since then.
        now: The present, from which the last hour is counted.
        collection: The only collection to look at.
        words: Only sources whose name has this in it.
        limit: Rows.
        skip: Rows before them.

    Returns:
        ``collection``, ``source``, ``formats``, ``records``, ``rejected``, ``first`` and ``last`` (as records tell),
        ``arrived`` (when the newest was read), ``last_hour`` (records read in it), ``late_s`` (seconds from happening
        to reading, the median of the last day).

    Raises:
        logshed.errors.QueryError: The lake cannot be asked.
    """
    asked = {"since": since, "now": now, "collection": collection, "words": words, "limit": limit, "skip": skip}
    return [{**row, "formats": row["formats"] or []} for row in _rows(query, SOURCES, asked)]


def rejected(query: Query, *, since: datetime, collection: str | None = None, limit: int = 100, skip: int = 0) -> Rows:
    """What no format took, by source and reason, most first, with the three newest records of each.

    Args:
        query: Runs a statement.
        since: Only what was read since then.
        collection: The only collection to look at.
        limit: Rows.
        skip: Rows before them.

    Raises:
        logshed.errors.QueryError: The lake cannot be asked.
    """
    return _rows(query, REJECTED, {"since": since, "collection": collection, "limit": limit, "skip": skip})


def ledger(store: Store, limit: int = 500) -> dict[str, Any]:
    """The ledger's sums, in physical lines: of all sources, and of those of which most was read.

    Args:
        store: The lake.
        limit: Sources that are named.

    Returns:
        ``sources`` (how many), ``total`` and ``by_source``; of each ``read``, ``stored``, ``rejected``, ``dropped``,
        ``cut``, ``files`` (generations), ``committed`` (when last).

    Raises:
        logshed.errors.LakeError: The lake cannot be read.
    """
    entries = Ledger.of(store.table(LINES)).scan()
    sums = [pl.col(name).sum() for name in COUNTS]
    more = [pl.col("generation").n_unique().alias("files"), pl.col("committed").max()]
    found = entries.group_by("source").agg(*sums, *more).sort(["read", "source"], descending=[True, False]).collect()
    total = {name: int(found[name].sum()) for name in (*COUNTS, "files")}
    return {"sources": found.height, "total": total, "by_source": found.head(limit).to_dicts()}


def _rows(query: Query, sql: str, params: Mapping[str, object]) -> Rows:
    with query(sql, params) as result:
        rows: Rows = result.pl().to_dicts()
    return rows
