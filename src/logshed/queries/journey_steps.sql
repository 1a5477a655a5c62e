/*
title = "Steps of journeys"
description = """
From which page of their session visitors went to which next: the first page to the second, the second to the third and
so on, each page with its number in the session. A visitor is a client address with a user agent; a session of theirs
ends where no request follows for 30 minutes (gap). A page is a request answered below 400 whose path does not end in
the extension of a static file. A page that is loaded again at once counts once. Requests without a client address are
left out.
"""
window = "7d"
uses = ["page_views"]
chart = { kind = "sankey", x = "from_page", by = "to_page", y = "times" }

[columns]
from_page = "number and path of the page"
to_page = "number and path of the next"
times = "sessions that went from one to the other"
visitors = "different clients with a user agent"

[parameters]
pages = { kind = "integer", default = 4, meaning = "pages of a session to look at" }
limit = { kind = "integer", default = 40, meaning = "rows to show" }
*/
WITH numbered AS (
    SELECT
        visitor,
        path,
        row_number() OVER (PARTITION BY visitor, session ORDER BY place) AS number,
        lead(path) OVER (PARTITION BY visitor, session ORDER BY place) AS next_path
    FROM page_views
),
steps AS (
    SELECT number, path, next_path, visitor, count(*) AS times
    FROM numbered
    WHERE next_path IS NOT NULL AND number < $pages
    GROUP BY number, path, next_path, visitor
)
SELECT
    concat(CAST(number AS VARCHAR), ' ', path) AS from_page,
    concat(CAST(number + 1 AS VARCHAR), ' ', next_path) AS to_page,
    CAST(sum(times) AS BIGINT) AS times,
    count(*) AS visitors
FROM steps
GROUP BY number, path, next_path
ORDER BY times DESC, from_page, to_page
LIMIT $limit
