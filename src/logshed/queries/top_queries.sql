/*
title = "Top queries"
description = """
The query strings that were sent most, with the path that they were sent to. A visitor is a client address with a user
agent on a day (UTC), as GoAccess counts them.
"""
window = "7d"
uses = ["quarters"]
chart = { kind = "bar", x = "query", y = "requests", by = "path" }

[columns]
path = "path of the request"
query = "what followed the question mark"
requests = "requests"
visitors = "visitors"
errors = "requests answered with status 400 or above"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        url_path AS path,
        url_query AS query,
        client_address,
        count(*) AS requests,
        count(*) FILTER (WHERE http_response_status_code >= 400) AS errors
    FROM logs
    JOIN quarters ON epoch_us(timestamp) // 900000000 = quarter
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
      AND url_query <> ''
    GROUP BY url_path, url_query, day, client_address, user_agent_original
)
SELECT
    path,
    query,
    sum(requests) AS requests,
    count(client_address) AS visitors,
    sum(errors) AS errors
FROM visits
GROUP BY path, query
ORDER BY requests DESC, path, query
LIMIT $limit
