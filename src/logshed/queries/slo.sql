/*
title = "Service level objective"
description = """
How much of an error budget each service has left, and how fast it burns: of the objective that target percent of its
requests are good. Good is a request that the server did not fail (with a status of 500 or above, or without a status a
severity of ERROR or above), or with threshold_ms one that took no longer. A burn rate of 1 uses up the budget exactly
in the window. The burn rates end with the minute of the newest request. `logshed slo` looks at the objectives of logshed.toml.
"""
window = "28d"
chart = { kind = "bar", x = "service", y = "budget_left_percent", by = "collection" }

[columns]
collection = "the set of logs"
service = "the service; null where the log names none"
total = "requests"
good = "those that were good"
achieved = "their share, in percent"
budget_left_percent = "what is left of the error budget, in percent; below 0 it is overdrawn"
burn_1h = "burn rate of the last hour; null without requests"
burn_6h = "burn rate of the last 6 hours"
burn_3d = "burn rate of the last 3 days"

[parameters]
target = { kind = "number", default = 99.9, meaning = "percent of requests that are to be good" }
threshold_ms = { kind = "number", meaning = "milliseconds within which a request is good; without it failures count" }
*/
WITH minutes AS (
    SELECT
        collection,
        service_name AS service,
        epoch_us(timestamp) // 60000000 AS minute,
        count(*) AS requests,
        count(*) FILTER (
            WHERE CASE
                WHEN $threshold_ms IS NOT NULL THEN duration_ms <= $threshold_ms
                ELSE NOT coalesce(http_response_status_code >= 500, severity_number >= 17, false)
            END
        ) AS well
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND (http_request_method IS NOT NULL OR url_path IS NOT NULL OR http_response_status_code IS NOT NULL)
      AND ($threshold_ms IS NULL OR (duration_ms IS NOT NULL AND NOT isnan(duration_ms)))
    GROUP BY 1, 2, 3
),
aged AS (
    SELECT *, max(minute) OVER () - minute AS minutes_ago
    FROM minutes
),
counts AS (
    SELECT
        collection,
        service,
        sum(requests) AS total,
        sum(well) AS good,
        sum(requests) FILTER (WHERE minutes_ago < 60) AS total_1h,
        sum(requests - well) FILTER (WHERE minutes_ago < 60) AS bad_1h,
        sum(requests) FILTER (WHERE minutes_ago < 360) AS total_6h,
        sum(requests - well) FILTER (WHERE minutes_ago < 360) AS bad_6h,
        sum(requests) FILTER (WHERE minutes_ago < 4320) AS total_3d,
        sum(requests - well) FILTER (WHERE minutes_ago < 4320) AS bad_3d
    FROM aged
    GROUP BY collection, service
)
SELECT
    collection,
    service,
    total,
    good,
    floor(good * 100000.0 / total + 0.5) / 1000 AS achieved,
    floor((1 - (total - good) * 100.0 / (total * (100 - $target))) * 10000 + 0.5) / 100 AS budget_left_percent,
    floor(bad_1h * 10000.0 / nullif(total_1h * (100 - $target), 0) + 0.5) / 100 AS burn_1h,
    floor(bad_6h * 10000.0 / nullif(total_6h * (100 - $target), 0) + 0.5) / 100 AS burn_6h,
    floor(bad_3d * 10000.0 / nullif(total_3d * (100 - $target), 0) + 0.5) / 100 AS burn_3d
FROM counts
ORDER BY budget_left_percent, collection, service
