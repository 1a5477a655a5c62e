/*
title = "Referrers"
description = """
The pages that sent most requests here.
"""
window = "7d"
chart = { kind = "bar", x = "referrer", y = "requests" }

[columns]
referrer = "the referring page"
requests = "requests"
clients = "different client addresses"
paths = "different paths asked for"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT
    http_referrer AS referrer,
    count(*) AS requests,
    count(DISTINCT client_address) AS clients,
    count(DISTINCT url_path) AS paths
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_referrer IS NOT NULL
GROUP BY 1
ORDER BY requests DESC, referrer
LIMIT $limit
