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
WITH figures AS (
    SELECT 'error percent' AS figure UNION ALL SELECT 'p95 ms' AS figure UNION ALL SELECT 'requests' AS figure
),
goods AS (
    SELECT 'orders' AS sold UNION ALL SELECT 'revenue' AS sold
),
pairs AS (
    SELECT
        figure,
        sold,
        CASE figure WHEN 'error percent' THEN error_percent WHEN 'p95 ms' THEN p95 ELSE CAST(requests AS DOUBLE) END
            AS x,
        CASE sold WHEN 'orders' THEN CAST(orders AS DOUBLE) ELSE revenue END AS y
    FROM shop_hours
    CROSS JOIN figures
    CROSS JOIN goods
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
