/*
title = "Top paths"
description = """
The paths that were asked for most. Queries after the question mark are not part of a path.
"""
window = "7d"
chart = { kind = "bar", x = "path", y = "requests" }

[columns]
path = "path of the request"
requests = "requests"
clients = "different client addresses"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"

[parameters]
limit = { kind = "integer", default = 10, meaning = "rows to show" }
*/
SELECT
    url_path AS path,
    count(*) AS requests,
    count(DISTINCT client_address) AS clients,
    count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
    coalesce(sum(http_response_body_size), 0) AS bytes
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND url_path IS NOT NULL
GROUP BY 1
ORDER BY requests DESC, path
LIMIT $limit
