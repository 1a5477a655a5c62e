/*
title = "Bandwidth by hour"
description = """
Bytes sent in each hour (UTC) that had requests, and the largest response.
"""
window = "7d"
chart = { kind = "line", x = "hour", y = "bytes" }

[columns]
hour = "start of the hour"
requests = "requests"
bytes = "bytes of all responses"
largest_response = "bytes of the largest one"
*/
SELECT
    time_bucket(to_seconds(3600), timestamp) AS hour,
    count(*) AS requests,
    coalesce(sum(http_response_body_size), 0) AS bytes,
    coalesce(max(http_response_body_size), 0) AS largest_response
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
GROUP BY 1
ORDER BY hour
