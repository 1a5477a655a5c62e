/*
title = "Top clients"
description = """
The client addresses that asked most, and how long each was seen.
"""
window = "7d"
chart = { kind = "bar", x = "client", y = "requests" }

[columns]
client = "address of the client"
requests = "requests"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"
first_seen = "its first request"
last_seen = "its last request"

[parameters]
limit = { kind = "integer", default = 10, meaning = "rows to show" }
*/
SELECT
    client_address AS client,
    count(*) AS requests,
    count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
    coalesce(sum(http_response_body_size), 0) AS bytes,
    min(timestamp) AS first_seen,
    max(timestamp) AS last_seen
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND client_address IS NOT NULL
GROUP BY 1
ORDER BY requests DESC, client
LIMIT $limit
