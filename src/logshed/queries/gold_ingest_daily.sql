/*
title = "What came in by day"
description = """
Records by the day on which they happened, by source and format: how many, how many no format took, how late they came.
"""

[columns]
timestamp = "timestamptz: beginning of the day, UTC"
collection = "string: the set of logs"
source = "string: where they came from"
log_format = "string: format that took them"
records = "long: records"
rejected = "long: records that no format took"
redacted = "long: spans that redaction replaced"
late_s = "double: seconds between happening and reading, the median"
*/
SELECT
    date_trunc('day', timestamp) AS timestamp,
    collection,
    source,
    log_format,
    count(*) AS records,
    count(*) FILTER (WHERE parse_error IS NOT NULL) AS rejected,
    CAST(coalesce(sum(redaction_count), 0) AS BIGINT) AS redacted,
    median(date_diff('millisecond', timestamp, observed_timestamp) / 1000.0) AS late_s
FROM logs
WHERE timestamp >= $since AND timestamp < $until
GROUP BY date_trunc('day', timestamp), collection, source, log_format
