/*
title = "Virtual hosts"
description = """
Requests by the host that was asked for. A visitor is a client address with a user agent on a day (UTC), as GoAccess
counts them.
"""
window = "7d"
uses = ["quarters"]
chart = { kind = "bar", x = "host", y = "requests" }

[columns]
host = "host that was asked for; null where the log has none"
requests = "requests"
percent = "share of all requests"
visitors = "visitors"
bytes = "bytes of all responses"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        url_domain AS host,
        client_address,
        count(*) AS requests,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM logs
    JOIN quarters ON epoch_us(timestamp) // 900000000 = quarter
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
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
