/*
title = "Average order value"
description = """
Orders of each day (UTC) and what they were worth. An order is a record that is the step purchase; records with one
order id are one order with the greatest value. The value stands where the file of the shop says, or in the attribute or
query parameter that value names; 1,299.00, 1.299,00 and EUR 12,50 are read too. An order whose value is no number
counts as an order without a value. Different currencies are not told apart.
"""
window = "30d"
uses = ["shop_records", "shop_orders"]
chart = { kind = "line", x = "day", y = "mean" }

[columns]
day = "the day"
orders = "orders"
priced = "those whose value is known"
revenue = "their value"
mean = "mean value of an order"
median = "median value of an order"
*/
SELECT
    date_trunc('day', timestamp) AS day,
    count(*) AS orders,
    count(value) AS priced,
    floor(coalesce(sum(value), 0.0) * 100 + 0.5) / 100 AS revenue,
    floor(sum(value) / nullif(count(value), 0) * 100 + 0.5) / 100 AS mean,
    floor(median(value) * 100 + 0.5) / 100 AS median
FROM shop_orders
GROUP BY 1
ORDER BY day
