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
    SELECT shop_list.place AS place, step, after, coalesce(sessions, 0) AS sessions, minutes
    FROM shop_list
    LEFT JOIN reached ON reached.place = shop_list.place
    WHERE shop = $shop AND (SELECT count(*) FROM reached) > 0
)
SELECT
    CAST(steps.place AS INTEGER) AS place,
    steps.step AS step,
    steps.sessions AS sessions,
    floor(steps.sessions * 10000.0 / max(steps.sessions) OVER () + 0.5) / 100 AS percent,
    sooner.sessions - steps.sessions AS dropped,
    floor(steps.sessions * 10000.0 / nullif(sooner.sessions, 0) + 0.5) / 100 AS percent_of_previous,
    floor(steps.minutes * 100 + 0.5) / 100 AS median_minutes
FROM steps
LEFT JOIN steps AS sooner ON sooner.place = steps.after
ORDER BY place
