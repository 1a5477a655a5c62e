/*
title = "Freshness of collections"
description = """
How new what is in each collection is: its newest event, when the newest of its records was read, and how long it has
been silent, measured to the newest record of all collections.
"""
window = "7d"
chart = { kind = "bar", x = "collection", y = "silent_s" }

[columns]
collection = "the set of logs"
records = "records"
rejected = "those that no format took"
services = "different services"
newest_event = "its newest event"
newest_read = "when the newest of its records was read"
silent_s = "seconds from there to the newest record of all collections"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
SELECT
    collection,
    count(*) AS records,
    count(parse_error) AS rejected,
    count(DISTINCT service_name) AS services,
    max(timestamp) AS newest_event,
    max(observed_timestamp) AS newest_read,
    (max(epoch_us(max(observed_timestamp))) OVER () - epoch_us(max(observed_timestamp))) / 1000000.0 AS silent_s
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
GROUP BY 1
ORDER BY records DESC, collection
LIMIT $limit
