/*
title = "Funnels of shops"
description = """
Sessions that took the steps to an order one after the other, by day, collection and kind of shop (any: each record is
taken by the first shop that knows it). A session ends with the day (UTC). Days on which nobody took a shop's first step
have no rows of it; a step that nobody came to has none.
"""
uses = ["shop_records_daily", "shop_funnel"]

[columns]
timestamp = "timestamptz: beginning of the day, UTC"
collection = "string: the set of logs"
shop = "string: kind of shop, or any"
place = "int: place of the step"
step = "string: the step"
sessions = "long: sessions that came to it"
conversion = "double: their share of the sessions at the first step, in percent"
*/
WITH counted AS (
    SELECT date_trunc('day', timestamp) AS day, collection, shop, place, step, count(*) AS sessions
    FROM shop_funnel
    GROUP BY 1, collection, shop, place, step
)
SELECT
    day AS timestamp,
    collection,
    shop,
    CAST(place AS INTEGER) AS place,
    step,
    sessions,
    floor(sessions * 10000.0 / max(sessions) OVER (PARTITION BY day, collection, shop) + 0.5) / 100 AS conversion
FROM counted
