/*
title = "Impact of a deployment"
description = """
Figures of each service before and after a moment, such as that of a deployment, within as many minutes on either side.
Without at, it is the middle between the first and the last record of the window. An error is a record of severity ERROR
or above, or a request answered with status 500 or above. Percentiles are exact and in milliseconds.
"""
window = "7d"
chart = { kind = "bar", x = "service", y = "error_percent_after" }

[columns]
service = "the service; null where the log names none"
records_before = "records before"
records_after = "records from the moment on"
errors_before = "errors before"
errors_after = "errors after"
error_percent_before = "their share before; null without records"
error_percent_after = "their share after; null without records"
p50_before = "half took at most this long before"
p50_after = "half took at most this long after"
p95_before = "95 of 100 took at most this long before"
p95_after = "95 of 100 took at most this long after"

[parameters]
at = { kind = "string", meaning = "the moment, such as 2026-11-01T10:00:00Z; without it the middle of the window" }
minutes = { kind = "integer", default = 10080, meaning = "minutes to look at on either side" }
*/
WITH window_records AS (
    SELECT
        service_name AS service,
        epoch_us(timestamp) AS at_us,
        coalesce(severity_number >= 17, false) OR coalesce(http_response_status_code >= 500, false) AS failed,
        CASE WHEN NOT isnan(duration_ms) THEN duration_ms END AS duration
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
),
moment AS (
    SELECT coalesce(
        epoch_us(CAST($at AS TIMESTAMPTZ)),
        min(at_us) + CAST(floor((max(at_us) - min(at_us)) / 2.0) AS BIGINT)
    ) AS moment_us
    FROM window_records
),
sides AS (
    SELECT service, failed, duration, at_us >= moment_us AS later
    FROM window_records
    CROSS JOIN moment
    WHERE (at_us - moment_us) / 60000000.0 >= -$minutes
      AND (at_us - moment_us) / 60000000.0 < $minutes
),
figures AS (
    SELECT
        service,
        count(*) FILTER (WHERE NOT later) AS records_before,
        count(*) FILTER (WHERE later) AS records_after,
        count(*) FILTER (WHERE failed AND NOT later) AS errors_before,
        count(*) FILTER (WHERE failed AND later) AS errors_after,
        quantile_cont(CASE WHEN NOT later THEN duration END, 0.5) AS p50_before,
        quantile_cont(CASE WHEN later THEN duration END, 0.5) AS p50_after,
        quantile_cont(CASE WHEN NOT later THEN duration END, 0.95) AS p95_before,
        quantile_cont(CASE WHEN later THEN duration END, 0.95) AS p95_after
    FROM sides
    GROUP BY service
)
SELECT
    service,
    records_before,
    records_after,
    errors_before,
    errors_after,
    floor(errors_before * 10000.0 / nullif(records_before, 0) + 0.5) / 100 AS error_percent_before,
    floor(errors_after * 10000.0 / nullif(records_after, 0) + 0.5) / 100 AS error_percent_after,
    floor(p50_before * 1000 + 0.5) / 1000 AS p50_before,
    floor(p50_after * 1000 + 0.5) / 1000 AS p50_after,
    floor(p95_before * 1000 + 0.5) / 1000 AS p95_before,
    floor(p95_after * 1000 + 0.5) / 1000 AS p95_after
FROM figures
ORDER BY errors_after DESC, records_after DESC, service
