/*
uses = ["event_kinds"]
title = "Records behind"
description = """
What the records of an event type, region, logger, level, exception or service say: the most common messages of each. A
message is that of the exception, else of the record, else method and path; its first 200 characters are shown. Security
events are records of logs of the types security and audit, requests answered with 401, 403 or 407, events with the
outcome failure, and records of clients on a threat list; the rest are application events.
"""
window = "7d"
keys = []
chart = { kind = "bar", x = "message", y = "records" }

[columns]
what = "what the column says"
message = "the message"
level = "its level, the highest in the alphabet where they differ"
service = "one of the services that wrote it"
records = "how often"
last_seen = "the last of them"

[parameters]
by = { kind = "string", default = "event", meaning = "event, region, logger, level, exception or service" }
only = { kind = "string", default = "all", meaning = "application, security, errors or all" }
limit = { kind = "integer", default = 10, meaning = "rows for each" }
*/
WITH told AS (
    SELECT
        timestamp,
        CASE $by
            WHEN 'event' THEN event
            WHEN 'region' THEN region
            WHEN 'logger' THEN logger
            WHEN 'level' THEN level
            WHEN 'exception' THEN exception
            WHEN 'service' THEN service
        END AS what,
        left(message, 200) AS message,
        level,
        service
    FROM event_kinds
    WHERE $only IN ('all', kind) OR ($only = 'errors' AND severity_number >= 17)
),
messages AS (
    SELECT
        what,
        message,
        max(level) AS level,
        min(service) AS service,
        count(*) AS records,
        max(timestamp) AS last_seen
    FROM told
    WHERE what IS NOT NULL
    GROUP BY what, message
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY what ORDER BY records DESC, message) AS place
    FROM messages
)
SELECT what, message, level, service, records, last_seen
FROM placed
WHERE place <= $limit
ORDER BY what, records DESC, message
