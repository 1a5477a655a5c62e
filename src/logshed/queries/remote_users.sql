/*
title = "Users of requests"
description = """
Users that a server named for requests, such as those of HTTP authentication. Requests without a user are left out.
"""
window = "7d"
chart = { kind = "bar", x = "user", y = "requests" }

[columns]
user = "the user"
requests = "requests"
clients = "different client addresses"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"
first_seen = "the first request"
last_seen = "the last request"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT
    user_id AS user,
    count(*) AS requests,
    count(DISTINCT client_address) AS clients,
    count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
    coalesce(sum(http_response_body_size), 0) AS bytes,
    min(timestamp) AS first_seen,
    max(timestamp) AS last_seen
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
  AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
  AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
  AND user_id IS NOT NULL
GROUP BY user_id
ORDER BY requests DESC, user_id
LIMIT $limit
