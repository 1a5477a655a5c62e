/*
title = "Latency in all"
description = """
How long the records with a duration took, in milliseconds, in one row. Percentiles are exact,
in steps of a microsecond.
"""
window = "7d"

[columns]
requests = "records with a duration"
p50 = "half took at most this long"
p90 = "90 of 100 took at most this long"
p95 = "95 of 100 took at most this long"
p99 = "99 of 100 took at most this long"
slowest = "the slowest took this long"
*/
SELECT
    count(*) AS requests,
    floor(floor(quantile_cont(duration_ms, 0.5) * 1000000 + 0.5) / 1000 + 0.5) / 1000 AS p50,
    floor(floor(quantile_cont(duration_ms, 0.9) * 1000000 + 0.5) / 1000 + 0.5) / 1000 AS p90,
    floor(floor(quantile_cont(duration_ms, 0.95) * 1000000 + 0.5) / 1000 + 0.5) / 1000 AS p95,
    floor(floor(quantile_cont(duration_ms, 0.99) * 1000000 + 0.5) / 1000 + 0.5) / 1000 AS p99,
    max(duration_ms) AS slowest
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND duration_ms IS NOT NULL
  AND NOT isnan(duration_ms)
HAVING count(*) > 0
ORDER BY requests
