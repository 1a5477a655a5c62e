/*
title = "Slowest requests"
description = """
The single requests that took longest.
"""
window = "24h"
chart = { kind = "bar", x = "path", y = "duration_ms" }
keys = []

[columns]
timestamp = "when it happened"
service = "the service; null where the log names none"
http_method = "method of the request"
path = "path of the request"
http_status = "status code of the response"
duration_ms = "milliseconds that it took"
client = "address of the client"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT
    timestamp,
    service_name AS service,
    http_request_method AS http_method,
    url_path AS path,
    http_response_status_code AS http_status,
    duration_ms,
    client_address AS client
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND duration_ms IS NOT NULL
  AND NOT isnan(duration_ms)
ORDER BY duration_ms DESC, timestamp, source, generation, "offset", item
LIMIT $limit
