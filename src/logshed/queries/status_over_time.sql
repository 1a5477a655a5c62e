/*
uses = ["steps"]
title = "Requests by class of status"
description = """
Requests over time by the class of their status, 1xx to 5xx. Bars are as wide as the window asks for: a second to a day.
"""
window = "24h"
chart = { kind = "bar", x = "time", y = "requests", by = "class" }

[columns]
time = "where the bar begins"
class = "1xx to 5xx"
requests = "requests"
*/
SELECT
    time_bucket(to_seconds((SELECT step_s FROM steps)), first_record) AS time,
    CAST(hundred AS VARCHAR) || 'xx' AS class,
    sum(requests) AS requests
FROM (
    SELECT
        epoch_us(timestamp) // 1000000 // (SELECT step_s FROM steps) AS bar,
        http_response_status_code // 100 AS hundred,
        min(timestamp) AS first_record,
        count(*) AS requests
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
    GROUP BY 1, 2
) AS bars
GROUP BY 1, 2
ORDER BY time, class
