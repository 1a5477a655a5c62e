/*
title = "Journeys"
description = """
The three pages that visitors most often looked at one after the other. A visitor is a client address with a user agent;
a session of theirs ends where no request follows for 30 minutes (gap). A page is a request answered below 400 whose
path does not end in the extension of a static file. A page that is loaded again at once counts once. Requests without a
client address are left out.
"""
window = "7d"
uses = ["page_views"]
chart = { kind = "bar", x = "journey", y = "times" }

[columns]
journey = "the three paths"
times = "how often"
visitors = "different clients with a user agent"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH steps AS (
    SELECT
        visitor,
        path AS first_page,
        lead(path, 1) OVER (PARTITION BY visitor, session ORDER BY place) AS second_page,
        lead(path, 2) OVER (PARTITION BY visitor, session ORDER BY place) AS third_page
    FROM page_views
),
journeys AS (
    SELECT first_page, second_page, third_page, visitor, count(*) AS times
    FROM steps
    WHERE third_page IS NOT NULL
    GROUP BY ALL
)
SELECT
    concat(first_page, ' → ', second_page, ' → ', third_page) AS journey,
    sum(times) AS times,
    count(*) AS visitors
FROM journeys
GROUP BY first_page, second_page, third_page
ORDER BY times DESC, journey
LIMIT $limit
