/*
title = "Retention"
description = """
How many visitors come back: those who first came in a week, and how many of them came in each week after. A visitor is
a client address with a user agent; weeks begin on Monday (UTC). Visits before the window are not looked at, so its
first cohort also holds those who had come before. Requests without a client address are left out.
"""
window = "84d"
uses = ["web_requests"]
chart = { kind = "heatmap", x = "week", y = "percent", by = "cohort" }

[columns]
cohort = "Monday of the week of the first visit"
week = "weeks after it; 0 is the week itself"
visitors = "visitors of the cohort who came in that week"
percent = "their share of the cohort"
*/
WITH weeks AS (
    SELECT client_address AS client, user_agent_original AS agent, monday
    FROM web_requests
    WHERE client_address IS NOT NULL
    GROUP BY 1, 2, 3
),
cohorts AS (
    SELECT monday, min(monday) OVER (PARTITION BY client, agent) AS cohort
    FROM weeks
),
counts AS (
    SELECT cohort, CAST(date_diff('day', cohort, monday) / 7 AS BIGINT) AS week, count(*) AS visitors
    FROM cohorts
    GROUP BY 1, 2
)
SELECT
    cohort,
    week,
    visitors,
    floor(visitors * 10000.0 / max(visitors) OVER (PARTITION BY cohort) + 0.5) / 100 AS percent
FROM counts
ORDER BY cohort, week
