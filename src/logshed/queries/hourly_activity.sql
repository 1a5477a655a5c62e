/*
uses = ["event_kinds"]
title = "Hourly activity"
description = """
Events by the hour of the day and their kind; hours without any are left out. Security events are records of logs of the
types security and audit, requests answered with 401, 403 or 407, events with the outcome failure, and records of
clients on a threat list; the rest are application events.
"""
window = "7d"
chart = { kind = "line", x = "hour", y = "events", by = "kind" }

[columns]
hour = "0 to 23"
kind = "application or security"
events = "events of all days in that hour"
*/
SELECT extract(hour FROM timestamp) AS hour, kind, count(*) AS events
FROM event_kinds
GROUP BY 1, 2
ORDER BY hour, kind
