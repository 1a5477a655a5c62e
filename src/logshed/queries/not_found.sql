/*
title = "Not found"
description = """
Paths that were answered with 404, and the pages that link to them.
"""
window = "7d"
chart = { kind = "bar", x = "path", y = "requests" }

[columns]
path = "path of the request"
requests = "requests"
clients = "different client addresses"
referrers = "different referring pages"
example_referrer = "one of them; null where none was sent"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT
    url_path AS path,
    count(*) AS requests,
    count(DISTINCT client_address) AS clients,
    count(DISTINCT http_referrer) AS referrers,
    min(http_referrer) AS example_referrer
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code = 404
GROUP BY 1
ORDER BY requests DESC, path
LIMIT $limit
