/*
title = "Top error sources"
description = """
The loggers that wrote most errors, and how many kinds of exceptions came with them.
An error is a record of severity ERROR or above. Where a record names no logger, its service stands in, then its source.
"""
window = "7d"
chart = { kind = "bar", x = "logger", y = "error_count" }

[columns]
logger = "the logger"
error_count = "errors"
unique_exceptions = "different exception classes among them"

[parameters]
limit = { kind = "integer", default = 10, meaning = "rows to show" }
*/
SELECT
    coalesce(scope_name, service_name, source) AS logger,
    count(*) AS error_count,
    count(DISTINCT exception_type) AS unique_exceptions
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND severity_number >= 17
GROUP BY 1
ORDER BY error_count DESC, logger
LIMIT $limit
