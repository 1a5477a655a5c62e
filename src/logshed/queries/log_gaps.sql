/*
title = "Gaps of sources"
description = """
Sources that fell silent: the longest time between two records of each, and how long it has been silent now, measured to
the newest record of all sources. Records without a time of their own are left out, and so is the time between records of
the same second.
"""
window = "7d"
chart = { kind = "bar", x = "source", y = "longest_gap_s" }
keys = ["collection", "source"]

[columns]
collection = "the set of logs that it belongs to"
source = "the source"
records = "records"
longest_gap_s = "seconds of the longest gap; null where all records are of one second"
gap_from = "the record before it"
gap_to = "the record after it"
last_record = "its newest record"
silent_s = "seconds from there to the newest record of all sources"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
WITH seconds AS (
    SELECT
        collection,
        source,
        epoch_us(timestamp) // 1000000 AS second,
        count(*) AS records,
        min(timestamp) AS first_record,
        max(timestamp) AS last_record
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND timestamp_source <> 'observed'
    GROUP BY 1, 2, 3
),
gaps AS (
    SELECT
        *,
        lag(last_record) OVER (PARTITION BY collection, source ORDER BY second) AS before,
        epoch_us(first_record)
        - lag(epoch_us(last_record)) OVER (PARTITION BY collection, source ORDER BY second) AS gap_us
    FROM seconds
),
sources AS (
    SELECT
        collection,
        source,
        sum(records) AS records,
        max(gap_us) AS gap_us,
        arg_max(before, gap_us) AS gap_from,
        arg_max(first_record, gap_us) AS gap_to,
        max(last_record) AS last_record
    FROM gaps
    GROUP BY 1, 2
)
SELECT
    collection,
    source,
    records,
    gap_us / 1000000.0 AS longest_gap_s,
    gap_from,
    gap_to,
    last_record,
    (max(epoch_us(last_record)) OVER () - epoch_us(last_record)) / 1000000.0 AS silent_s
FROM sources
ORDER BY longest_gap_s DESC, collection, source
LIMIT $limit
