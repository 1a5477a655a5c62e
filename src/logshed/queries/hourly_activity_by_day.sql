/*
uses = ["event_kinds"]
title = "Hourly activity by day"
description = """
Events of each day by the hour of the day and their kind. Security events are records of logs of the types security and
audit, requests answered with 401, 403 or 407, events with the outcome failure, and records of clients on a threat list;
the rest are application events.
"""
window = "7d"
chart = { kind = "heatmap", x = "hour", y = "events", by = "day" }
keys = ["day", "hour", "kind"]

[columns]
day = "the day"
hour = "0 to 23"
kind = "application or security"
events = "events in that hour"
*/
SELECT
    CAST(date_trunc('day', timestamp) AS DATE) AS day,
    extract(hour FROM timestamp) AS hour,
    kind,
    count(*) AS events
FROM event_kinds
GROUP BY 1, 2, 3
ORDER BY day, hour, kind
