/*
uses = ["event_kinds"]
title = "Types of events"
description = """
Events by their type: the name of the event; of a request its class of status, such as HTTP 4xx; of what is left the
class of its exception, else its level. Security events are records of logs of the types security and audit, requests
answered with 401, 403 or 407, events with the outcome failure, and records of clients on a threat list; the rest are
application events.
"""
window = "7d"
chart = { kind = "bar", x = "event", y = "events" }

[columns]
event = "type of the event"
events = "how many"
first_seen = "the first of them"
last_seen = "the last of them"

[parameters]
kind = { kind = "string", default = "all", meaning = "application, security or all" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT event, count(*) AS events, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM event_kinds
WHERE $kind IN ('all', kind)
GROUP BY event
ORDER BY events DESC, event
LIMIT $limit
