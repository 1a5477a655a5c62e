/*
uses = ["event_kinds"]
title = "Overview by day"
description = """
What each day holds. Security events are records of logs of the types security and audit, requests answered with 401,
403 or 407, events with the outcome failure, and records of clients on a threat list; the rest are application events.
An error is a record of severity ERROR or above, or a request answered with status 500 or above.
"""
window = "30d"
chart = { kind = "line", x = "day", y = "events" }

[columns]
day = "the day"
events = "records"
application_events = "application events"
security_events = "security events"
requests = "records with a status code"
errors = "errors of both kinds"
*/
SELECT
    CAST(date_trunc('day', timestamp) AS DATE) AS day,
    count(*) AS events,
    count(*) FILTER (WHERE kind = 'application') AS application_events,
    count(*) FILTER (WHERE kind = 'security') AS security_events,
    count(http_status) AS requests,
    count(*) FILTER (WHERE severity_number >= 17 OR http_status >= 500) AS errors
FROM event_kinds
GROUP BY 1
ORDER BY day
