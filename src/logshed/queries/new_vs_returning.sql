/*
title = "New and returning visitors"
description = """
Visitors of each day (UTC): new ones and those who had come before. Whoever came in the window, or in the time of the
same length before it, has come before; earlier visits are not looked at. A visitor is a client address with a user
agent on a day (UTC), as GoAccess counts them. Requests without a client address are left out.
"""
window = "30d"
chart = { kind = "line", x = "day", y = "visitors" }

[columns]
day = "the day"
visitors = "visitors"
new_visitors = "those who came for the first time"
returning_visitors = "those who had come on an earlier day"
percent_returning = "their share"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
*/
WITH visits AS (
    SELECT date_trunc('day', timestamp) AS day, client_address, user_agent_original, max(timestamp) AS last_seen
    FROM logs
    WHERE timestamp >= $before
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND client_address IS NOT NULL
      AND ($exclude_client IS NULL OR NOT regexp_matches(client_address, $exclude_client))
    GROUP BY 1, 2, 3
),
numbered AS (
    SELECT
        day,
        last_seen,
        row_number() OVER (PARTITION BY client_address, user_agent_original ORDER BY day) AS visit
    FROM visits
)
SELECT
    day,
    count(*) AS visitors,
    count(*) FILTER (WHERE visit = 1) AS new_visitors,
    count(*) FILTER (WHERE visit > 1) AS returning_visitors,
    floor(count(*) FILTER (WHERE visit > 1) * 10000.0 / count(*) + 0.5) / 100 AS percent_returning
FROM numbered
WHERE last_seen >= $since
GROUP BY day
ORDER BY day
