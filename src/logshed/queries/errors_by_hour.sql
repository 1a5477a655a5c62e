/*
title = "Errors by hour"
description = """
Errors in each hour (UTC) that had any. An error is a record of severity ERROR or above, or a request answered with
status 500 or above; a record that is both counts once.
"""
window = "7d"
chart = { kind = "line", x = "hour", y = "errors" }

[columns]
hour = "start of the hour"
errors = "errors of both kinds"
error_records = "records of severity ERROR or above"
server_errors = "requests answered with status 500 or above"
*/
SELECT
    time_bucket(to_seconds(3600), timestamp) AS hour,
    count(*) AS errors,
    count(*) FILTER (WHERE severity_number >= 17) AS error_records,
    count(*) FILTER (WHERE http_response_status_code >= 500) AS server_errors
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND (severity_number >= 17 OR http_response_status_code >= 500)
GROUP BY 1
ORDER BY hour
