/*
title = "Methods"
description = """
Requests by method. A visitor is a client address with a user agent on a day (UTC), as GoAccess counts them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "pie", x = "method", y = "requests" }

[columns]
method = "method of the request; null where the log has none"
requests = "requests"
percent = "share of all requests"
visitors = "visitors"
bytes = "bytes of all responses"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        http_request_method AS method,
        client_address,
        count(*) AS requests,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM web_requests
    GROUP BY http_request_method, day, client_address, user_agent_original
)
SELECT
    method,
    sum(requests) AS requests,
    floor(sum(requests) * 10000.0 / sum(sum(requests)) OVER () + 0.5) / 100 AS percent,
    count(client_address) AS visitors,
    sum(bytes) AS bytes
FROM visits
GROUP BY method
ORDER BY requests DESC, method
LIMIT $limit
