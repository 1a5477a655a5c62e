/*
uses = ["event_kinds"]
title = "Security events by region"
description = """
Security events by the region of the cloud, else the country and region of the client. Security events are records of
logs of the types security and audit, requests answered with 401, 403 or 407, events with the outcome failure, and
records of clients on a threat list.
"""
window = "7d"
chart = { kind = "pie", x = "region", y = "events" }

[columns]
region = "the region; unknown where the record tells none"
events = "security events"
event_types = "different types among them"
last_seen = "the last of them"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
SELECT region, count(*) AS events, count(DISTINCT event) AS event_types, max(timestamp) AS last_seen
FROM event_kinds
WHERE kind = 'security'
GROUP BY region
ORDER BY events DESC, region
LIMIT $limit
