/*
title = "Entry pages"
description = """
The pages that sessions began with, and how many ended right there. A visitor is a client address with a user agent; a
session of theirs ends where no request follows for 30 minutes (gap). A page is a request answered below 400 whose path
does not end in the extension of a static file. Sessions without a page and requests without a client address are left
out.
"""
window = "7d"
uses = ["visits"]
chart = { kind = "bar", x = "path", y = "sessions" }

[columns]
path = "path of the page"
sessions = "sessions that began with it"
percent = "their share of all sessions"
bounces = "those that had this one page only"
bounce_percent = "their share"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH entries AS (
    SELECT count(*) AS pages, arg_min(path, place) AS entry
    FROM visits
    WHERE is_page
    GROUP BY visitor, session
)
SELECT
    entry AS path,
    count(*) AS sessions,
    floor(count(*) * 10000.0 / sum(count(*)) OVER () + 0.5) / 100 AS percent,
    count(*) FILTER (WHERE pages = 1) AS bounces,
    floor(count(*) FILTER (WHERE pages = 1) * 10000.0 / count(*) + 0.5) / 100 AS bounce_percent
FROM entries
GROUP BY entry
ORDER BY sessions DESC, path
LIMIT $limit
