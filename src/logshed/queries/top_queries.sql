/*
title = "Top queries"
description = """
The query strings that were sent most, with the path that they were sent to. A visitor is a client address with a user
agent on a day (UTC), as GoAccess counts them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "bar", x = "query", y = "requests", by = "path" }

[columns]
path = "path of the request"
query = "what followed the question mark"
requests = "requests"
visitors = "visitors"
errors = "requests answered with status 400 or above"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        url_path AS path,
        url_query AS query,
        client_address,
        count(*) AS requests,
        count(*) FILTER (WHERE http_response_status_code >= 400) AS errors
    FROM web_requests
    WHERE url_query <> ''
    GROUP BY url_path, url_query, day, client_address, user_agent_original
)
SELECT
    path,
    query,
    sum(requests) AS requests,
    count(client_address) AS visitors,
    sum(errors) AS errors
FROM visits
GROUP BY path, query
ORDER BY requests DESC, path, query
LIMIT $limit
