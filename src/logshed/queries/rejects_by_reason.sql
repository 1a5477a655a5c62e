/*
title = "Rejects by reason"
description = """
Records that no format took, by source and reason. `logshed rejects` shows their lines.
"""
window = "all"
chart = { kind = "bar", x = "reason", y = "records", by = "source" }

[columns]
source = "where they came from"
reason = "why no format took them"
records = "how many"
first_offset = "byte offset of the first of them"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
SELECT
    source,
    parse_error AS reason,
    count(*) AS records,
    min("offset") AS first_offset
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND parse_error IS NOT NULL
GROUP BY 1, 2
ORDER BY records DESC, source, reason
LIMIT $limit
