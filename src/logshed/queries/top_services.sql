/*
title = "Busiest services"
description = """
Services by their records. An error is a record of severity ERROR or above, or a request answered with status 500 or
above; a record that is both counts once. Records that name no service are together in one row.
"""
window = "24h"
chart = { kind = "bar", x = "service", y = "records" }

[columns]
service = "the service; null where the log names none"
records = "records"
errors = "errors of both kinds"
error_percent = "their share of the service's records"

[parameters]
limit = { kind = "integer", default = 10, meaning = "rows to show" }
*/
SELECT
    service_name AS service,
    count(*) AS records,
    count(*) FILTER (WHERE severity_number >= 17 OR http_response_status_code >= 500) AS errors,
    floor(
        count(*) FILTER (WHERE severity_number >= 17 OR http_response_status_code >= 500) * 10000.0 / count(*) + 0.5
    ) / 100 AS error_percent
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
GROUP BY 1
ORDER BY records DESC, service
LIMIT $limit
