/*
title = "Traffic by hour"
description = """
HTTP requests in each hour (UTC) that had any, with their clients, errors and bytes.
"""
window = "7d"
uses = ["quarters"]
chart = { kind = "line", x = "hour", y = "requests" }

[columns]
hour = "start of the hour"
requests = "requests"
clients = "different client addresses"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"
*/
WITH clients AS (
    SELECT
        hour,
        client_address,
        count(*) AS requests,
        count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM logs
    JOIN quarters ON epoch_us(timestamp) // 900000000 = quarter
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
    GROUP BY hour, client_address
)
SELECT
    hour,
    sum(requests) AS requests,
    count(client_address) AS clients,
    sum(errors) AS errors,
    sum(bytes) AS bytes
FROM clients
GROUP BY hour
ORDER BY hour
