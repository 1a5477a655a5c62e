/*
title = "Ingest summary"
description = """
What the lake holds of each source: records by format, rejects, redacted spans, and the time they cover.
"""
window = "all"
chart = { kind = "bar", x = "source", y = "records" }
keys = ["collection", "source", "format"]

[columns]
collection = "the set of logs that it belongs to"
source = "where it came from"
format = "the format that took the records; null for rejects"
records = "how many"
rejected = "those that no format took"
redacted_spans = "spans that redaction replaced"
first_timestamp = "the earliest event"
last_timestamp = "the latest event"

[parameters]
limit = { kind = "integer", default = 100, meaning = "rows to show" }
*/
SELECT
    collection,
    source,
    log_format AS format,
    count(*) AS records,
    count(parse_error) AS rejected,
    coalesce(sum(redaction_count), 0) AS redacted_spans,
    min(timestamp) AS first_timestamp,
    max(timestamp) AS last_timestamp
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
GROUP BY 1, 2, 3
ORDER BY records DESC, collection, source, format
LIMIT $limit
