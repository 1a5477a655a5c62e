/*
title = "Bots"
description = """
Bots by the name that they give, their share of all requests, and whether they asked for /robots.txt. A name that is not
known stands as it was sent.
"""
window = "7d"
chart = { kind = "bar", x = "bot", y = "requests" }

[columns]
bot = "name of the bot"
requests = "requests"
percent = "share of all requests, people's too"
clients = "different client addresses"
robots_txt = "requests for /robots.txt"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"
last_seen = "its last request"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH named AS (
    SELECT
        CASE WHEN user_agent_is_bot THEN coalesce(user_agent_name, user_agent_original, 'bot') END AS bot,
        count(*) AS requests,
        count(DISTINCT client_address) AS clients,
        count(*) FILTER (WHERE url_path = '/robots.txt') AS robots_txt,
        count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
        coalesce(sum(http_response_body_size), 0) AS bytes,
        max(timestamp) AS last_seen
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
    GROUP BY 1
),
shares AS (
    SELECT *, floor(requests * 10000.0 / sum(requests) OVER () + 0.5) / 100 AS percent
    FROM named
)
SELECT bot, requests, percent, clients, robots_txt, errors, bytes, last_seen
FROM shares
WHERE bot IS NOT NULL
ORDER BY requests DESC, bot
LIMIT $limit
