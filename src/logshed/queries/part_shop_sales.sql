/*
description = """
What each session with a step was worth: whether it had a purchase, how many orders, and their value. Records with one
order id in a session are one order.
"""
uses = ["shop_visits", "shop_list"]
*/
WITH orders AS (
    SELECT visitor, session, max(value) AS value
    FROM shop_visits
    WHERE place IN (SELECT place FROM shop_list WHERE shop = $shop AND step = 'purchase')
    GROUP BY visitor, session, coalesce(order_id, CAST(number AS VARCHAR)), order_id IS NULL
),
sold AS (
    SELECT visitor, session, count(*) AS orders, sum(value) AS revenue
    FROM orders
    GROUP BY visitor, session
),
visited AS (
    SELECT
        visitor,
        session,
        min(country) AS country,
        arg_min(device, number) AS device,
        arg_min(origin, number) AS origin
    FROM shop_visits
    GROUP BY visitor, session
    HAVING count(place) > 0
)
SELECT
    visited.visitor AS visitor,
    visited.session AS session,
    country,
    device,
    origin,
    coalesce(orders, 0) AS orders,
    coalesce(revenue, 0.0) AS revenue
FROM visited
LEFT JOIN sold ON sold.visitor = visited.visitor AND sold.session = visited.session
