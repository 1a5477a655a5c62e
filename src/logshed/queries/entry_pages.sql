/*
title = "Entry pages"
description = """
The pages that sessions began with, and how many ended right there. A visitor is a client address with a user agent; a
session of theirs ends where no request follows for 30 minutes (gap). A page is a request answered below 400 whose path
does not end in the extension of a static file. Sessions without a page and requests without a client address are left
out.
"""
window = "7d"
chart = { kind = "bar", x = "path", y = "sessions" }

[columns]
path = "path of the page"
sessions = "sessions that began with it"
percent = "their share of all sessions"
bounces = "those that had this one page only"
bounce_percent = "their share"

[parameters]
gap = { kind = "integer", default = 30, meaning = "minutes without a request that end a session" }
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "string", meaning = "a client address to leave out; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
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
        count(*) AS pages,
        arg_min(path, place) AS entry,
        arg_max(path, place) AS exit
    FROM numbered
    WHERE is_page
    GROUP BY client, agent, session
)
SELECT
    entry AS path,
    count(*) AS sessions,
    floor(count(*) * 10000.0 / sum(count(*)) OVER () + 0.5) / 100 AS percent,
    count(*) FILTER (WHERE pages = 1) AS bounces,
    floor(count(*) FILTER (WHERE pages = 1) * 10000.0 / count(*) + 0.5) / 100 AS bounce_percent
FROM visits
GROUP BY entry
ORDER BY sessions DESC, path
LIMIT $limit
