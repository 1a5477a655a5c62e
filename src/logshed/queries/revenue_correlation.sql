/*
title = "What revenue goes with"
description = """
How the orders and the revenue of hours (UTC) go together with the share of requests that failed (status of 500 and
above), with durations and with the number of requests: Pearson's correlation, from -1 (one falls where the other
rises) to 1. Hours without the figure are left out; it is NULL where one of the two never changes. That two go together
does not say that one is the cause.
"""
window = "30d"
uses = ["shop_records", "shop_hours"]
chart = { kind = "bar", x = "figure", y = "correlation", by = "sold" }

[columns]
figure = "what is compared"
sold = "orders or revenue"
hours = "hours with the figure"
correlation = "between -1 and 1"
*/
WITH pairs AS (
    SELECT 'error percent' AS figure, 'orders' AS sold, error_percent AS x, CAST(orders AS DOUBLE) AS y FROM shop_hours
    UNION ALL SELECT 'error percent' AS figure, 'revenue' AS sold, error_percent AS x, revenue AS y FROM shop_hours
    UNION ALL SELECT 'p95 ms' AS figure, 'orders' AS sold, p95 AS x, CAST(orders AS DOUBLE) AS y FROM shop_hours
    UNION ALL SELECT 'p95 ms' AS figure, 'revenue' AS sold, p95 AS x, revenue AS y FROM shop_hours
    UNION ALL
    SELECT 'requests' AS figure, 'orders' AS sold, CAST(requests AS DOUBLE) AS x, CAST(orders AS DOUBLE) AS y
    FROM shop_hours
    UNION ALL SELECT 'requests' AS figure, 'revenue' AS sold, CAST(requests AS DOUBLE) AS x, revenue AS y FROM shop_hours
),
centred AS (
    SELECT
        figure,
        sold,
        x - avg(x) OVER (PARTITION BY figure, sold) AS x,
        y - avg(y) OVER (PARTITION BY figure, sold) AS y
    FROM pairs
    WHERE x IS NOT NULL
)
SELECT
    figure,
    sold,
    count(*) AS hours,
    CASE
        WHEN max(abs(x)) > 0.000000001 AND max(abs(y)) > 0.000000001
            THEN floor(sum(x * y) / sqrt(sum(x * x) * sum(y * y)) * 1000 + 0.5) / 1000
    END AS correlation
FROM centred
GROUP BY figure, sold
ORDER BY figure, sold
