/*
title = "Journeys"
description = """
The three pages that visitors most often looked at one after the other. A visitor is a client address with a user agent;
a session of theirs ends where no request follows for 30 minutes (gap). A page is a request answered below 400 whose
path does not end in the extension of a static file. A page that is loaded again at once counts once. Requests without a
client address are left out.
"""
window = "7d"
chart = { kind = "bar", x = "journey", y = "times" }

[columns]
journey = "the three paths"
times = "how often"
visitors = "different clients with a user agent"

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
pages AS (
    SELECT
        *,
        lag(path) OVER (PARTITION BY client, agent, session ORDER BY place) AS previous
    FROM numbered
    WHERE is_page
),
steps AS (
    SELECT
        client,
        agent,
        path AS first_page,
        lead(path, 1) OVER (PARTITION BY client, agent, session ORDER BY place) AS second_page,
        lead(path, 2) OVER (PARTITION BY client, agent, session ORDER BY place) AS third_page
    FROM pages
    WHERE previous IS NULL OR previous <> path
),
journeys AS (
    SELECT concat(first_page, ' → ', second_page, ' → ', third_page) AS journey, client, agent, count(*) AS times
    FROM steps
    WHERE third_page IS NOT NULL
    GROUP BY 1, 2, 3
)
SELECT journey, sum(times) AS times, count(*) AS visitors
FROM journeys
GROUP BY journey
ORDER BY times DESC, journey
LIMIT $limit
