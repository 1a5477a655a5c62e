/*
title = "Virtual hosts"
description = """
Requests by the host that was asked for. A visitor is a client address with a user agent on a day (UTC), as GoAccess
counts them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "bar", x = "host", y = "requests" }

[columns]
host = "host that was asked for; null where the log has none"
requests = "requests"
percent = "share of all requests"
visitors = "visitors"
bytes = "bytes of all responses"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        url_domain AS host,
        client_address,
        count(*) AS requests,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM web_requests
    GROUP BY url_domain, day, client_address, user_agent_original
)
SELECT
    host,
    sum(requests) AS requests,
    floor(sum(requests) * 10000.0 / sum(sum(requests)) OVER () + 0.5) / 100 AS percent,
    count(client_address) AS visitors,
    sum(bytes) AS bytes
FROM visits
GROUP BY host
ORDER BY requests DESC, host
LIMIT $limit
