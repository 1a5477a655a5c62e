/*
title = "Top templates"
description = """
Requests by the template of their path, such as /users/{id}; a path without a template stands for itself. A visitor is a
client address with a user agent on a day (UTC), as GoAccess counts them.
"""
window = "7d"
uses = ["quarters"]
chart = { kind = "bar", x = "template", y = "requests" }

[columns]
template = "template of the path, or the path"
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
        coalesce(url_template, url_path) AS template,
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
    GROUP BY coalesce(url_template, url_path), day, client_address, user_agent_original
)
SELECT
    template,
    sum(requests) AS requests,
    floor(sum(requests) * 10000.0 / sum(sum(requests)) OVER () + 0.5) / 100 AS percent,
    count(client_address) AS visitors,
    sum(bytes) AS bytes
FROM visits
GROUP BY template
ORDER BY requests DESC, template
LIMIT $limit
