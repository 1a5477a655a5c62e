/*
description = """
The steps that each session took in order: one counts where the step before came first in the session, optional steps
left aside. With within, a visitor has that many minutes from the first step on instead of a session.
"""
uses = ["shop_visits", "shop_list"]

[parameters]
within = { kind = "integer", meaning = "minutes that a visitor has from the first step on; without it a session" }
*/
WITH events AS (
    SELECT
        visitor,
        CASE WHEN $within IS NULL THEN session ELSE 0 END AS attempt,
        shop_visits.shop AS shop,
        collection,
        timestamp,
        epoch_us(timestamp) AS at_us,
        number,
        shop_visits.place AS place,
        step,
        after,
        CAST(coalesce($within, 1000000000) AS BIGINT) * 60000000 AS within_us
    FROM shop_visits
    JOIN shop_list ON shop_list.shop = shop_visits.shop AND shop_list.place = shop_visits.place
),
{{levels}}
SELECT
    visitor,
    attempt,
    shop,
    min(collection) AS collection,
    place,
    step,
    after,
    min(timestamp) AS timestamp,
    arg_min((at_us - before_us) / 60000000.0, number) AS minutes
FROM levels
WHERE start_us IS NOT NULL
GROUP BY visitor, attempt, shop, place, step, after
