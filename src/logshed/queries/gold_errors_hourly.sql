/*
title = "Errors by hour"
description = """
Records of severity ERROR and above, and requests answered with a status of 500 and above, by service, logger and
exception.
"""

[columns]
timestamp = "timestamptz: beginning of the hour"
collection = "string: the set of logs"
service_name = "string: service"
scope_name = "string: the logger"
exception_type = "string: class of the exception"
errors = "long: records"
first_timestamp = "timestamptz: the first of them"
last_timestamp = "timestamptz: the last of them"
*/
SELECT
    date_trunc('hour', timestamp) AS timestamp,
    collection,
    service_name,
    scope_name,
    exception_type,
    count(*) AS errors,
    min(timestamp) AS first_timestamp,
    max(timestamp) AS last_timestamp
FROM logs
WHERE timestamp >= $since AND timestamp < $until
  AND (severity_number >= 17 OR http_response_status_code >= 500)
GROUP BY date_trunc('hour', timestamp), collection, service_name, scope_name, exception_type
