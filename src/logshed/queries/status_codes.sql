/*
title = "Status codes"
description = """
Requests by the status code of their response. A visitor is a client address with a user agent on a day (UTC), as
GoAccess counts them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "pie", x = "status", y = "requests" }

[columns]
status = "status code of the response"
requests = "requests"
percent = "share of all requests"
visitors = "visitors"
bytes = "bytes of all responses"

[parameters]
limit = { kind = "integer", default = 100, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        http_response_status_code AS status,
        client_address,
        count(*) AS requests,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM web_requests
    GROUP BY http_response_status_code, day, client_address, user_agent_original
)
SELECT
    status,
    sum(requests) AS requests,
    floor(sum(requests) * 10000.0 / sum(sum(requests)) OVER () + 0.5) / 100 AS percent,
    count(client_address) AS visitors,
    sum(bytes) AS bytes
FROM visits
GROUP BY status
ORDER BY requests DESC, status
LIMIT $limit
