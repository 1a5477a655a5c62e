/*
title = "Sessions"
description = """
Visits to a web server, put together from its requests. A visitor is a client address with a user agent; a session of
theirs ends where no request follows for 30 minutes (gap). A page is a request answered below 400 whose path does not
end in the extension of a static file. Requests without a client address are left out. Newest first.
"""
window = "24h"
uses = ["requests", "visits"]
chart = { kind = "timeline", x = "start", y = "entry" }

[columns]
client = "address of the client"
agent = "the user agent as sent; null where none was"
start = "the first request"
length_s = "seconds from the first to the last request"
requests = "requests"
pages = "pages among them"
entry = "path of the first page; null without a page"
exit = "path of the last page; null without a page"
bytes = "bytes of all responses"
bot = "whether the user agent is a bot; null where it is not known"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
WITH sessions AS (
    SELECT
        visitor,
        session,
        min(timestamp) AS start,
        max(timestamp) AS last,
        count(*) AS requests,
        count(*) FILTER (WHERE is_page) AS pages,
        min(place) FILTER (WHERE is_page) AS entry_place,
        max(place) FILTER (WHERE is_page) AS exit_place,
        sum(size) AS bytes
    FROM visits
    GROUP BY visitor, session
),
newest AS (
    SELECT *
    FROM sessions
    WHERE start >= (SELECT min(start) FROM (SELECT start FROM sessions ORDER BY start DESC LIMIT $limit) AS latest)
),
theirs AS (
    SELECT
        visitor,
        client,
        agent,
        timestamp,
        path,
        bot,
        row_number() OVER (PARTITION BY visitor ORDER BY timestamp, source, "offset", item) AS place
    FROM requests
    WHERE visitor IN (SELECT visitor FROM newest)
)
SELECT
    min(client) AS client,
    min(agent) AS agent,
    start,
    (epoch_us(last) - epoch_us(start)) / 1000000.0 AS length_s,
    requests,
    pages,
    min(path) FILTER (WHERE place = entry_place) AS entry,
    min(path) FILTER (WHERE place = exit_place) AS exit,
    bytes,
    max(bot) AS bot
FROM newest
JOIN theirs USING (visitor)
WHERE timestamp >= start AND timestamp <= last
GROUP BY visitor, session, start, last, requests, pages, bytes
ORDER BY start DESC, client, agent
LIMIT $limit
