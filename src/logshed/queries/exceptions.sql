/*
title = "Exceptions"
description = """
The exceptions that were logged most, by service, with one of their messages.
"""
window = "7d"
chart = { kind = "bar", x = "exception", y = "occurrences", by = "service" }

[columns]
exception = "class of the exception"
service = "the service; null where the log names none"
occurrences = "records with it"
first_seen = "the first of them"
last_seen = "the last of them"
example_message = "one of their messages"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT
    exception_type AS exception,
    service_name AS service,
    count(*) AS occurrences,
    min(timestamp) AS first_seen,
    max(timestamp) AS last_seen,
    min(coalesce(exception_message, body)) AS example_message
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND exception_type IS NOT NULL
GROUP BY 1, 2
ORDER BY occurrences DESC, exception, service
LIMIT $limit
