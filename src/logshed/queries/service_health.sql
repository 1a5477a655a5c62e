/*
title = "Health of services"
description = """
Rate, errors and duration of each service. Counted are its records, requests or not. An error is a record of severity
ERROR or above, or a request answered with status 500 or above; a record that is both counts once. The rate is over the
minutes from the first to the last of its records, one at least. Availability is the share of requests that were not
answered with status 500 or above, and null for a service without requests. Percentiles are exact and in milliseconds.
"""
window = "24h"
chart = { kind = "bar", x = "service", y = "errors" }

[columns]
service = "the service; null where the log names none"
records = "records"
requests = "those with a status code"
per_minute = "records a minute"
errors = "errors of both kinds"
error_percent = "their share of all records"
availability = "percent of requests that the server did not fail"
p50 = "half took at most this long"
p90 = "90 of 100 took at most this long"
p95 = "95 of 100 took at most this long"
p99 = "99 of 100 took at most this long"
*/
WITH records AS (
    SELECT
        service_name AS service,
        timestamp,
        http_response_status_code AS status,
        coalesce(severity_number >= 17, false) OR coalesce(http_response_status_code >= 500, false) AS failed,
        CASE WHEN NOT isnan(duration_ms) THEN duration_ms END AS duration
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
)
SELECT
    service,
    count(*) AS records,
    count(status) AS requests,
    floor(
        count(*) * 100.0 / greatest(date_diff('second', min(timestamp), max(timestamp)) / 60.0, 1) + 0.5
    ) / 100 AS per_minute,
    count(*) FILTER (WHERE failed) AS errors,
    floor(count(*) FILTER (WHERE failed) * 10000.0 / count(*) + 0.5) / 100 AS error_percent,
    floor(count(*) FILTER (WHERE status < 500) * 100000.0 / nullif(count(status), 0) + 0.5) / 1000 AS availability,
    floor(quantile_cont(duration, 0.5) * 1000 + 0.5) / 1000 AS p50,
    floor(quantile_cont(duration, 0.9) * 1000 + 0.5) / 1000 AS p90,
    floor(quantile_cont(duration, 0.95) * 1000 + 0.5) / 1000 AS p95,
    floor(quantile_cont(duration, 0.99) * 1000 + 0.5) / 1000 AS p99
FROM records
GROUP BY service
ORDER BY errors DESC, records DESC, service
