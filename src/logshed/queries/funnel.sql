/*
title = "Funnel"
description = """
How many sessions took the steps to an order one after the other, and where they stopped. A step counts where the one
before came first in the session; an optional step (payment) may be left out. A visitor is a session id, or where there
is none a client address with a user agent; a session of theirs ends where no request or event follows for 30 minutes
(gap). With within, a visitor has that many minutes from the first step on instead, and counts once. Which requests and
events are steps is said by the file of the shop.
"""
window = "7d"
uses = ["shop_records", "shop_funnel"]
chart = { kind = "bar", x = "step", y = "sessions" }

[columns]
place = "place of the step"
step = "the step"
sessions = "sessions that came to it; visitors with within"
percent = "their share of those at the first step"
dropped = "those at the step before that did not come to it"
percent_of_previous = "share of those at the step before that came to it"
median_minutes = "median of the minutes since they were last at the step before"
*/
WITH reached AS (
    SELECT place, count(*) AS sessions, median(minutes) AS minutes
    FROM shop_funnel
    GROUP BY place
),
steps AS (
    SELECT
        shop_list.place AS place,
        step,
        CAST(sum(CASE WHEN reached.place = shop_list.place THEN sessions ELSE 0 END) AS BIGINT) AS sessions,
        CAST(sum(CASE WHEN reached.place = after THEN sessions ELSE 0 END) AS BIGINT) AS sooner,
        after > 0 AS follows,
        max(CASE WHEN reached.place = shop_list.place THEN minutes END) AS minutes
    FROM shop_list
    CROSS JOIN reached
    WHERE shop_list.shop = $shop
    GROUP BY shop_list.place, step, after
)
SELECT
    CAST(place AS INTEGER) AS place,
    step,
    sessions,
    floor(sessions * 10000.0 / max(sessions) OVER () + 0.5) / 100 AS percent,
    CASE WHEN follows THEN sooner - sessions END AS dropped,
    CASE WHEN follows THEN floor(sessions * 10000.0 / nullif(sooner, 0) + 0.5) / 100 END AS percent_of_previous,
    floor(minutes * 100 + 0.5) / 100 AS median_minutes
FROM steps
ORDER BY place
