/*
title = "Bandwidth"
description = """
What the bytes of responses went to: paths, clients or days (UTC). A response without a size counts as 0 bytes.
"""
window = "7d"
chart = { kind = "bar", x = "what", y = "bytes" }

[columns]
what = "the path, the client address or the day"
requests = "requests"
bytes = "bytes of all responses"
percent = "share of all bytes"
largest_response = "bytes of the largest one"

[parameters]
by = { kind = "string", default = "path", meaning = "path, client or day" }
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH sizes AS (
    SELECT
        CASE $by
            WHEN 'client' THEN client_address
            WHEN 'day' THEN CAST(CAST(date_trunc('day', timestamp) AS DATE) AS VARCHAR)
            WHEN 'path' THEN url_path
        END AS what,
        coalesce(http_response_body_size, 0) AS size
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
)
SELECT
    what,
    count(*) AS requests,
    sum(size) AS bytes,
    coalesce(floor(sum(size) * 10000.0 / nullif(sum(sum(size)) OVER (), 0) + 0.5) / 100, 0) AS percent,
    max(size) AS largest_response
FROM sizes
GROUP BY what
ORDER BY bytes DESC, requests DESC, what
LIMIT $limit
