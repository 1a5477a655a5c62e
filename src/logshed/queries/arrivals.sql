/*
title = "Arrivals by hour"
description = """
Records of the window by the hour in which Logshed read them, and how long after their event that was.
Records without a time of their own count, but have no lag.
"""
window = "24h"
chart = { kind = "line", x = "hour", y = "records" }

[columns]
hour = "start of the hour in which they were read"
records = "records"
rejected = "those that no format took"
redacted_spans = "spans that redaction replaced"
lag_p50_s = "half were read at most so many seconds after their event"
lag_p95_s = "95 of 100 were read at most so many seconds after their event"
*/
SELECT
    time_bucket(to_seconds(3600), observed_timestamp) AS hour,
    count(*) AS records,
    count(parse_error) AS rejected,
    coalesce(sum(redaction_count), 0) AS redacted_spans,
    floor(quantile_cont(lag_s, 0.5) * 1000 + 0.5) / 1000 AS lag_p50_s,
    floor(quantile_cont(lag_s, 0.95) * 1000 + 0.5) / 1000 AS lag_p95_s
FROM (
    SELECT
        observed_timestamp,
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
      AND observed_timestamp IS NOT NULL
) AS read
GROUP BY 1
ORDER BY hour
