/*
title = "Status codes by service"
description = """
Which share of each service's requests ended with which status.
"""
window = "7d"
chart = { kind = "bar", x = "http_status", y = "requests", by = "service" }

[columns]
service = "the service; null where the log names none"
http_status = "status code of the response"
requests = "requests"
percent = "share of the service's requests"
*/
SELECT
    service_name AS service,
    http_response_status_code AS http_status,
    count(*) AS requests,
    floor(count(*) * 10000.0 / sum(count(*)) OVER (PARTITION BY service_name) + 0.5) / 100 AS percent
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
GROUP BY service_name, http_response_status_code
ORDER BY service, requests DESC, http_status
