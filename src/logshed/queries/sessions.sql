/*
title = "Sessions"
description = """
Visits to a web server, put together from its requests. A visitor is a client address with a user agent; a session of
theirs ends where no request follows for 30 minutes (gap). A page is a request answered below 400 whose path does not
end in the extension of a static file. Requests without a client address are left out. Newest first.
"""
window = "24h"

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
gap = { kind = "integer", default = 30, meaning = "minutes without a request that end a session" }
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "string", meaning = "a client address to leave out; without it none is" }
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
WITH requests AS (
    SELECT
        client_address AS client,
        user_agent_original AS agent,
        epoch_us(timestamp) AS at_us,
        source,
        "offset",
        item,
        url_path AS path,
        timestamp,
        coalesce(http_response_body_size, 0) AS size,
        user_agent_is_bot AS bot,
        coalesce(
            http_response_status_code < 400
            AND NOT regexp_matches(
                url_path,
                '(?i)[.](?:css|m?js|map|png|jpe?g|gif|svg|webp|avif|ico|bmp|woff2?|[to]tf|eot|mp[34]|webm|ogg|wasm)$'
            ),
            false
        ) AS is_page
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR coalesce(client_address, '') <> $exclude_client)
      AND client_address IS NOT NULL
),
gaps AS (
    SELECT
        *,
        at_us - lag(at_us) OVER (PARTITION BY client, agent ORDER BY at_us, source, "offset", item) AS gap_us
    FROM requests
),
numbered AS (
    SELECT
        *,
        sum(CASE WHEN gap_us / 60000000.0 > $gap THEN 1 ELSE 0 END) OVER (
            PARTITION BY client, agent
            ORDER BY at_us, source, "offset", item
            ROWS UNBOUNDED PRECEDING
        ) AS session,
        row_number() OVER (PARTITION BY client, agent ORDER BY at_us, source, "offset", item) AS place
    FROM gaps
),
visits AS (
    SELECT
        client,
        agent,
        session,
        min(timestamp) AS start,
        (max(at_us) - min(at_us)) / 1000000.0 AS length_s,
        count(*) AS requests,
        count(*) FILTER (WHERE is_page) AS pages,
        arg_min(path, place) FILTER (WHERE is_page) AS entry,
        arg_max(path, place) FILTER (WHERE is_page) AS exit,
        sum(size) AS bytes,
        max(bot) AS bot
    FROM numbered
    GROUP BY client, agent, session
)
SELECT client, agent, start, length_s, requests, pages, entry, exit, bytes, bot
FROM visits
ORDER BY start DESC, client, agent
LIMIT $limit
