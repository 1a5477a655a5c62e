/*
title = "Traffic in all"
description = """
The requests of a window in one row. A visitor is a client address with a user agent on a day (UTC), as GoAccess counts
them. Requests without a client address are no visitor.
"""
window = "7d"

[columns]
requests = "requests"
visitors = "visitors"
bot_requests = "requests of bots"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "string", meaning = "a client address to leave out; without it none is" }
*/
WITH visits AS (
    SELECT
        client_address,
        count(*) AS requests,
        count(*) FILTER (WHERE user_agent_is_bot) AS bot_requests,
        count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR coalesce(client_address, '') <> $exclude_client)
    GROUP BY date_trunc('day', timestamp), client_address, user_agent_original
)
SELECT
    sum(requests) AS requests,
    count(client_address) AS visitors,
    sum(bot_requests) AS bot_requests,
    sum(errors) AS errors,
    sum(bytes) AS bytes
FROM visits
HAVING count(*) > 0
ORDER BY requests
