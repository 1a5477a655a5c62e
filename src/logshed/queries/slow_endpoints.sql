/*
title = "Slow endpoints"
description = """
Endpoints that took most time in all: what to make faster first. An endpoint is a method and the template of a path, or
the path where it has none. Only requests with a duration count; times are in milliseconds.
"""
window = "24h"
chart = { kind = "bar", x = "endpoint", y = "total_ms", by = "method" }
keys = ["service", "method", "endpoint"]

[columns]
service = "the service; null where the log names none"
method = "method of the request"
endpoint = "template of the path, or the path"
requests = "requests with a duration"
total_ms = "milliseconds that all of them took"
percent = "share of the time of all endpoints"
mean_ms = "what one took on average"
p95_ms = "95 of 100 took at most this long"
max_ms = "the slowest"

[parameters]
min_requests = { kind = "integer", default = 1, meaning = "leave out endpoints with fewer requests" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH endpoints AS (
    SELECT
        service_name AS service,
        http_request_method AS method,
        coalesce(url_template, url_path) AS endpoint,
        count(*) AS requests,
        sum(duration_ms) AS total,
        quantile_cont(duration_ms, 0.95) AS p95,
        max(duration_ms) AS slowest
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND duration_ms IS NOT NULL
      AND NOT isnan(duration_ms)
      AND (url_path IS NOT NULL OR url_template IS NOT NULL)
    GROUP BY 1, 2, 3
),
shares AS (
    SELECT *, sum(total) OVER () AS whole
    FROM endpoints
)
SELECT
    service,
    method,
    endpoint,
    requests,
    floor(total + 0.5) AS total_ms,
    floor(total * 10000 / nullif(whole, 0) + 0.5) / 100 AS percent,
    floor(total / requests * 1000 + 0.5) / 1000 AS mean_ms,
    floor(p95 * 1000 + 0.5) / 1000 AS p95_ms,
    floor(slowest * 1000 + 0.5) / 1000 AS max_ms
FROM shares
WHERE requests >= $min_requests
ORDER BY total_ms DESC, requests DESC, service, method, endpoint
LIMIT $limit
