/*
title = "User agents"
description = """
The user agents that asked most, as they named themselves.
"""
window = "7d"
chart = { kind = "bar", x = "user_agent", y = "requests" }

[columns]
user_agent = "the user agent as sent"
requests = "requests"
clients = "different client addresses"
errors = "requests answered with status 400 or above"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT
    user_agent_original AS user_agent,
    count(*) AS requests,
    count(DISTINCT client_address) AS clients,
    count(*) FILTER (WHERE http_response_status_code >= 400) AS errors
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND user_agent_original IS NOT NULL
GROUP BY 1
ORDER BY requests DESC, user_agent
LIMIT $limit
