/*
title = "Protocols"
description = """
Requests by the version of HTTP. A visitor is a client address with a user agent on a day (UTC), as GoAccess counts
them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "pie", x = "version", y = "requests" }

[columns]
version = "version of HTTP; null where the log has none"
requests = "requests"
percent = "share of all requests"
visitors = "visitors"
bytes = "bytes of all responses"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        network_protocol_version AS version,
        client_address,
        count(*) AS requests,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM web_requests
    GROUP BY network_protocol_version, day, client_address, user_agent_original
)
SELECT
    version,
    sum(requests) AS requests,
    floor(sum(requests) * 10000.0 / sum(sum(requests)) OVER () + 0.5) / 100 AS percent,
    count(client_address) AS visitors,
    sum(bytes) AS bytes
FROM visits
GROUP BY version
ORDER BY requests DESC, version
LIMIT $limit
