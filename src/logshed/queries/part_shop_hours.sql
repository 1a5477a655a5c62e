/*
description = """
Each hour (UTC) with requests: their errors (status of 500 and above) and durations, the orders and their value.
"""
uses = ["shop_orders"]
*/
WITH hours AS (
    SELECT
        date_trunc('hour', timestamp) AS hour,
        count(*) AS requests,
        count(*) FILTER (WHERE http_response_status_code >= 500) AS errors,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms)
            FILTER (WHERE duration_ms IS NOT NULL AND NOT isnan(duration_ms)) AS p95
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
    GROUP BY 1
),
sold AS (
    SELECT date_trunc('hour', timestamp) AS hour, count(*) AS orders, coalesce(sum(value), 0.0) AS revenue
    FROM shop_orders
    GROUP BY 1
)
SELECT
    hours.hour AS hour,
    requests,
    errors,
    errors * 100.0 / requests AS error_percent,
    p95,
    coalesce(orders, 0) AS orders,
    coalesce(revenue, 0.0) AS revenue
FROM hours
LEFT JOIN sold ON sold.hour = hours.hour
