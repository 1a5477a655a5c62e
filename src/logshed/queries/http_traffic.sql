/*
title = "HTTP traffic"
description = """
Requests by status and method, with the average size of a response. A response without a size counts as 0 bytes.
"""
window = "today"
chart = { kind = "bar", x = "http_status", y = "request_count", by = "http_method" }

[columns]
http_status = "status code of the response"
http_method = "method of the request"
request_count = "requests"
avg_response_size = "mean bytes of a response's body"
*/
SELECT
    http_response_status_code AS http_status,
    http_request_method AS http_method,
    count(*) AS request_count,
    floor(avg(coalesce(http_response_body_size, 0)) * 10 + 0.5) / 10 AS avg_response_size
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
GROUP BY 1, 2
ORDER BY request_count DESC, http_status, http_method
