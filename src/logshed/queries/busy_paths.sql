/*
title = "Busiest paths"
description = """
Paths by their requests, each with how many failed. Quicker than `top_paths` and `top_templates`, since it counts
neither clients nor bytes.
"""
window = "24h"
chart = { kind = "bar", x = "path", y = "requests" }

[columns]
path = "the path"
requests = "requests"
errors = "those answered with status 400 or above"
server_errors = "those answered with status 500 or above"

[parameters]
limit = { kind = "integer", default = 10, meaning = "rows to show" }
*/
SELECT
    url_path AS path,
    count(*) AS requests,
    count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
    count(*) FILTER (WHERE http_response_status_code >= 500) AS server_errors
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
  AND url_path IS NOT NULL
GROUP BY 1
ORDER BY requests DESC, path
LIMIT $limit
