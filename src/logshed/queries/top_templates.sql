/*
title = "Top templates"
description = """
Requests by the template of their path, such as /users/{id}; a path without a template stands for itself. A visitor is a
client address with a user agent on a day (UTC), as GoAccess counts them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "bar", x = "template", y = "requests" }

[columns]
template = "template of the path, or the path"
requests = "requests"
percent = "share of all requests"
visitors = "visitors"
bytes = "bytes of all responses"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        coalesce(url_template, url_path) AS template,
        client_address,
        count(*) AS requests,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM web_requests
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
