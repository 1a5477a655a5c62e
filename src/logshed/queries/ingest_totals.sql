/*
title = "Ingest in all"
description = """
What came into the lake, in one row: records of the window, rejects, redacted spans, and how long after their event
records were read. Records without a time of their own have no lag.
"""
window = "24h"

[columns]
records = "records"
rejected = "those that no format took"
redacted_spans = "spans that redaction replaced"
collections = "different collections"
lag_p50_s = "half were read at most so many seconds after their event"
lag_p95_s = "95 of 100 were read at most so many seconds after their event"
newest_event = "the newest event"
newest_read = "when the newest was read"
*/
SELECT
    count(*) AS records,
    count(parse_error) AS rejected,
    coalesce(sum(redaction_count), 0) AS redacted_spans,
    count(DISTINCT collection) AS collections,
    floor(quantile_cont(lag_s, 0.5) * 1000 + 0.5) / 1000 AS lag_p50_s,
    floor(quantile_cont(lag_s, 0.95) * 1000 + 0.5) / 1000 AS lag_p95_s,
    max(timestamp) AS newest_event,
    max(observed_timestamp) AS newest_read
FROM (
    SELECT
        timestamp,
        observed_timestamp,
        collection,
        parse_error,
        redaction_count,
        CASE
            WHEN timestamp_source <> 'observed'
            THEN greatest(epoch_us(observed_timestamp) - epoch_us(timestamp), 0) / 1000000.0
        END AS lag_s
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
) AS read
HAVING count(*) > 0
ORDER BY records
