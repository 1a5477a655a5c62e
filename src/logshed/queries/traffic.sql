/*
title = "Traffic by day"
description = """
Requests of each day (UTC), with visitors, bots, errors and bytes. A visitor is a client address with a user agent on a
day (UTC), as GoAccess counts them. Requests without a client address are no visitor.
"""
window = "30d"
uses = ["web_requests"]
chart = { kind = "line", x = "day", y = "requests" }

[columns]
day = "the day"
requests = "requests"
visitors = "visitors"
bot_requests = "requests of bots"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"
*/
WITH visits AS (
    SELECT
        day,
        client_address,
        count(*) AS requests,
        count(*) FILTER (WHERE user_agent_is_bot) AS bot_requests,
        count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM web_requests
    GROUP BY day, client_address, user_agent_original
)
SELECT
    day,
    sum(requests) AS requests,
    count(client_address) AS visitors,
    sum(bot_requests) AS bot_requests,
    sum(errors) AS errors,
    sum(bytes) AS bytes
FROM visits
GROUP BY day
ORDER BY day
