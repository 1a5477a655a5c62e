/*
title = "Traffic by hour"
description = """
HTTP requests in each hour (UTC) that had any, with their clients, errors and bytes.
"""
window = "7d"
chart = { kind = "line", x = "hour", y = "requests" }

[columns]
hour = "start of the hour"
requests = "requests"
clients = "different client addresses"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"
*/
SELECT
    time_bucket(to_seconds(3600), timestamp) AS hour,
    count(*) AS requests,
    count(DISTINCT client_address) AS clients,
    count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
    coalesce(sum(http_response_body_size), 0) AS bytes
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
GROUP BY 1
ORDER BY hour
