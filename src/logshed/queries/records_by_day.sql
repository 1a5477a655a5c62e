/*
uses = ["event_kinds"]
title = "Records by day"
description = """
Records of each day by what one column says; records that say nothing there are left out. Security events are records of
logs of the types security and audit, requests answered with 401, 403 or 407, events with the outcome failure, and
records of clients on a threat list; the rest are application events.
"""
window = "7d"
chart = { kind = "line", x = "day", y = "records", by = "what" }

[columns]
day = "the day"
what = "what the column says"
records = "records"
application_events = "application events"
security_events = "security events"
error_records = "records of severity ERROR or above"

[parameters]
by = { kind = "string", default = "event", meaning = "event, region, logger, level, exception or service" }
*/
WITH told AS (
    SELECT
        CAST(date_trunc('day', timestamp) AS DATE) AS day,
        CASE $by
            WHEN 'event' THEN event
            WHEN 'region' THEN region
            WHEN 'logger' THEN logger
            WHEN 'level' THEN level
            WHEN 'exception' THEN exception
            WHEN 'service' THEN service
        END AS what,
        kind,
        severity_number
    FROM event_kinds
)
SELECT
    day,
    what,
    count(*) AS records,
    count(*) FILTER (WHERE kind = 'application') AS application_events,
    count(*) FILTER (WHERE kind = 'security') AS security_events,
    count(*) FILTER (WHERE severity_number >= 17) AS error_records
FROM told
WHERE what IS NOT NULL
GROUP BY day, what
ORDER BY day, what
