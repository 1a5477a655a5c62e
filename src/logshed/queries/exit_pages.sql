/*
title = "Exit pages"
description = """
The pages that sessions ended with, and how often a look at the page was the last of its session. A visitor is a client
address with a user agent; a session of theirs ends where no request follows for 30 minutes (gap). A page is a request
answered below 400 whose path does not end in the extension of a static file. Sessions without a page and requests
without a client address are left out.
"""
window = "7d"
uses = ["requests", "visits"]
chart = { kind = "bar", x = "path", y = "sessions" }

[columns]
path = "path of the page"
sessions = "sessions that ended with it"
percent = "their share of all sessions"
views = "requests for the page"
exit_percent = "share of them that ended a session"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH ends AS (
    SELECT arg_max(path, place) AS exit
    FROM visits
    WHERE is_page
    GROUP BY visitor, session
),
views AS (
    SELECT path, count(*) AS views
    FROM requests
    WHERE is_page
    GROUP BY path
),
exits AS (
    SELECT
        exit,
        count(*) AS sessions,
        floor(count(*) * 10000.0 / sum(count(*)) OVER () + 0.5) / 100 AS percent
    FROM ends
    GROUP BY exit
)
SELECT
    path,
    sessions,
    percent,
    views,
    floor(sessions * 10000.0 / views + 0.5) / 100 AS exit_percent
FROM exits
JOIN views ON exit = path
ORDER BY sessions DESC, path
LIMIT $limit
