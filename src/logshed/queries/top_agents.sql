/*
title = "Top agents"
description = """
Requests by the name of the user agent and its operating system; an agent without a known name stands as it was sent.
Without a user agent, a request is left out. A visitor is a client address with a user agent on a day (UTC), as GoAccess
counts them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "bar", x = "agent", y = "requests", by = "os" }
keys = ["agent", "os", "bot"]

[columns]
agent = "name of the user agent"
os = "its operating system; null where it is not known"
bot = "whether it is a bot; null where it is not known"
requests = "requests"
percent = "share of all requests"
visitors = "visitors"
bytes = "bytes of all responses"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        coalesce(user_agent_name, user_agent_original) AS agent,
        user_agent_os AS os,
        user_agent_is_bot AS bot,
        client_address,
        count(*) AS requests,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM web_requests
    WHERE coalesce(user_agent_name, user_agent_original) IS NOT NULL
    GROUP BY 1, 2, 3, day, client_address, user_agent_original
)
SELECT
    agent,
    os,
    bot,
    sum(requests) AS requests,
    floor(sum(requests) * 10000.0 / sum(sum(requests)) OVER () + 0.5) / 100 AS percent,
    count(client_address) AS visitors,
    sum(bytes) AS bytes
FROM visits
GROUP BY agent, os, bot
ORDER BY requests DESC, agent, os, bot
LIMIT $limit
