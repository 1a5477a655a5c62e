/*
title = "Health of services by hour"
description = """
Rate, errors and durations of requests by service. A request is an error where its status is 500 or above, or where
there is no status, where its severity is ERROR or above. Percentiles are exact within the hour; those of longer times
come from latency_hourly.
"""

[columns]
timestamp = "timestamptz: beginning of the hour"
collection = "string: the set of logs"
service_name = "string: service"
records = "long: records, requests among them"
requests = "long: requests"
errors = "long: requests that failed"
error_rate = "double: errors by requests, 0 to 1"
availability = "double: share of requests that did not fail, 0 to 1"
p50_ms = "double: half of the requests took no longer, in milliseconds"
p90_ms = "double: nine in ten took no longer"
p95_ms = "double: 95 in 100 took no longer"
p99_ms = "double: 99 in 100 took no longer"
p999_ms = "double: 999 in 1,000 took no longer"
*/
WITH seen AS (
    SELECT
        date_trunc('hour', timestamp) AS hour,
        collection,
        service_name,
        CASE WHEN NOT isnan(duration_ms) THEN duration_ms END AS duration_ms,
        (http_request_method IS NOT NULL OR url_path IS NOT NULL) AS is_request,
        coalesce(http_response_status_code >= 500, severity_number >= 17, false) AS failed
    FROM logs
    WHERE timestamp >= $since AND timestamp < $until
)
SELECT
    hour AS timestamp,
    collection,
    service_name,
    count(*) AS records,
    count(*) FILTER (WHERE is_request) AS requests,
    count(*) FILTER (WHERE is_request AND failed) AS errors,
    CAST(count(*) FILTER (WHERE is_request AND failed) AS DOUBLE)
        / nullif(count(*) FILTER (WHERE is_request), 0) AS error_rate,
    1 - CAST(count(*) FILTER (WHERE is_request AND failed) AS DOUBLE)
        / nullif(count(*) FILTER (WHERE is_request), 0) AS availability,
    quantile_cont(duration_ms, 0.5) AS p50_ms,
    quantile_cont(duration_ms, 0.9) AS p90_ms,
    quantile_cont(duration_ms, 0.95) AS p95_ms,
    quantile_cont(duration_ms, 0.99) AS p99_ms,
    quantile_cont(duration_ms, 0.999) AS p999_ms
FROM seen
GROUP BY hour, collection, service_name
