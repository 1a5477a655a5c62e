/*
title = "Gaps of sources"
description = """
Sources that fell silent: the longest time between two records of each, and how long it has been silent now, measured to
the newest record of all sources. Records without a time of their own are left out.
"""
window = "7d"
chart = { kind = "bar", x = "source", y = "longest_gap_s" }
keys = ["collection", "source"]

[columns]
collection = "the set of logs that it belongs to"
source = "the source"
records = "records"
longest_gap_s = "seconds of the longest gap; null with one record"
gap_from = "the record before it"
gap_to = "the record after it"
last_record = "its newest record"
silent_s = "seconds from there to the newest record of all sources"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
WITH records AS (
    SELECT collection, source, timestamp, epoch_us(timestamp) AS at_us
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND timestamp_source <> 'observed'
),
gaps AS (
    SELECT
        collection,
        source,
        timestamp,
        at_us,
        lag(timestamp) OVER (PARTITION BY collection, source ORDER BY at_us) AS before,
        at_us - lag(at_us) OVER (PARTITION BY collection, source ORDER BY at_us) AS gap_us
    FROM records
),
sources AS (
    SELECT
        collection,
        source,
        count(*) AS records,
        max(gap_us) AS gap_us,
        arg_max(before, gap_us) AS gap_from,
        arg_max(timestamp, gap_us) AS gap_to,
        max(timestamp) AS last_record,
        max(at_us) AS last_us
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
    (max(last_us) OVER () - last_us) / 1000000.0 AS silent_s
FROM sources
ORDER BY longest_gap_s DESC, collection, source
LIMIT $limit
