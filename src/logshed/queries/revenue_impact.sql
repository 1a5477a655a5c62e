/*
title = "Revenue, errors and durations"
description = """
What was sold in each hour (UTC) with requests, beside the share of requests that failed (status of 500 and above) and
how long they took. revenue_correlation tells how they go together.
"""
window = "7d"
uses = ["shop_records", "shop_hours"]
chart = { kind = "line", x = "hour", y = "revenue" }

[columns]
hour = "start of the hour"
requests = "requests"
error_percent = "share of them that failed"
p95_ms = "milliseconds that 95 of 100 stayed below"
orders = "orders"
revenue = "their value, as far as it is known"
*/
SELECT
    hour,
    requests,
    floor(error_percent * 100 + 0.5) / 100 AS error_percent,
    floor(p95 * 1000000 + 0.5) / 1000000 AS p95_ms,
    orders,
    floor(revenue * 100 + 0.5) / 100 AS revenue
FROM shop_hours
ORDER BY hour
