/*
title = "Latency percentiles"
description = """
How long requests took, by service and path, in milliseconds. Percentiles are exact; between two values they are
interpolated. Only records with a duration count.
"""
window = "24h"
chart = { kind = "bar", x = "path", y = "p95", by = "service" }

[columns]
service = "the service; null where the log names none"
path = "path of the request; null where the record has none"
requests = "records with a duration"
p50 = "half took at most this long"
p90 = "90 of 100 took at most this long"
p95 = "95 of 100 took at most this long"
p99 = "99 of 100 took at most this long"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT
    service_name AS service,
    url_path AS path,
    count(*) AS requests,
    floor(quantile_cont(duration_ms, 0.5) * 1000 + 0.5) / 1000 AS p50,
    floor(quantile_cont(duration_ms, 0.9) * 1000 + 0.5) / 1000 AS p90,
    floor(quantile_cont(duration_ms, 0.95) * 1000 + 0.5) / 1000 AS p95,
    floor(quantile_cont(duration_ms, 0.99) * 1000 + 0.5) / 1000 AS p99
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND duration_ms IS NOT NULL
  AND NOT isnan(duration_ms)
GROUP BY 1, 2
ORDER BY requests DESC, service, path
LIMIT $limit
