/*
title = "Latency by hour"
description = """
How long records with a duration took in each hour (UTC) that had any, in milliseconds. Percentiles are
exact, in steps of a microsecond.
"""
window = "7d"
chart = { kind = "line", x = "hour", y = "p95" }

[columns]
hour = "start of the hour"
requests = "records with a duration"
p50 = "half took at most this long"
p95 = "95 of 100 took at most this long"
p99 = "99 of 100 took at most this long"
*/
SELECT
    date_trunc('hour', timestamp) AS hour,
    count(*) AS requests,
    floor(floor(quantile_cont(duration_ms, 0.5) * 1000000 + 0.5) / 1000 + 0.5) / 1000 AS p50,
    floor(floor(quantile_cont(duration_ms, 0.95) * 1000000 + 0.5) / 1000 + 0.5) / 1000 AS p95,
    floor(floor(quantile_cont(duration_ms, 0.99) * 1000000 + 0.5) / 1000 + 0.5) / 1000 AS p99
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND duration_ms IS NOT NULL
  AND NOT isnan(duration_ms)
GROUP BY 1
ORDER BY hour
