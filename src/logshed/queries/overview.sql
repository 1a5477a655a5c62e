/*
uses = ["event_kinds"]
title = "Overview"
description = """
What a window holds, in one row. Security events are records of logs of the types security and audit, requests answered
with 401, 403 or 407, events with the outcome failure, and records of clients on a threat list; the rest are application
events. An error is a record of severity ERROR or above, or a request answered with status 500 or above.
"""
window = "7d"

[columns]
events = "records"
application_events = "application events"
security_events = "security events"
requests = "records with a status code"
errors = "errors of both kinds"
services = "different services"
first_event = "the earliest"
last_event = "the latest"
*/
SELECT
    count(*) AS events,
    count(*) FILTER (WHERE kind = 'application') AS application_events,
    count(*) FILTER (WHERE kind = 'security') AS security_events,
    count(http_status) AS requests,
    count(*) FILTER (WHERE severity_number >= 17 OR http_status >= 500) AS errors,
    count(DISTINCT service) AS services,
    min(timestamp) AS first_event,
    max(timestamp) AS last_event
FROM event_kinds
HAVING count(*) > 0
ORDER BY events
