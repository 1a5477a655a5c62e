/*
title = "Groups of errors"
description = """
Errors that are alike, and whether they became more. An error is a record of severity ERROR or above, or one with an
exception. Alike are those with the same service, type of exception and message once UUIDs, hexadecimal numbers, quoted
texts and numbers are replaced by <uuid>, <hex>, <text> and <n>; only the first line of a message counts. Change is
against the time of the same length before the window.
"""
window = "24h"
uses = ["error_messages"]
chart = { kind = "bar", x = "message", y = "errors" }
keys = ["fingerprint"]

[columns]
fingerprint = "name of the group, the same at any time"
service = "the service; null where the log names none"
exception = "type of the exception; null where there is none"
message = "what their messages have in common"
errors = "errors in the window"
before = "errors in the time of the same length before"
change = "errors more than before"
status = "new (none before), more, fewer or steady"
first_seen = "the first of them in the window"
last_seen = "the last of them"
sample = "one of their messages"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH texts AS (
    SELECT
        service_name AS service,
        exception_type AS exception,
        text,
        count(*) FILTER (WHERE timestamp >= $since) AS errors,
        count(*) FILTER (WHERE timestamp < $since) AS before,
        min(timestamp) FILTER (WHERE timestamp >= $since) AS first_seen,
        max(timestamp) AS last_seen
    FROM errors
    WHERE severity_number >= 17 OR exception_type IS NOT NULL
    GROUP BY 1, 2, 3
),
alike AS (
    SELECT
        service,
        exception,
        message,
        sum(errors) AS now_errors,
        sum(before) AS old_errors,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        min(CASE WHEN errors > 0 THEN text END) AS sample
    FROM texts
    JOIN error_messages USING (text)
    GROUP BY 1, 2, 3
)
SELECT
    left(md5(concat(coalesce(service, ''), '|', coalesce(exception, ''), '|', message)), 12) AS fingerprint,
    service,
    exception,
    message,
    now_errors AS errors,
    old_errors AS before,
    now_errors - old_errors AS change,
    CASE
        WHEN old_errors = 0 THEN 'new'
        WHEN now_errors > old_errors THEN 'more'
        WHEN now_errors < old_errors THEN 'fewer'
        ELSE 'steady'
    END AS status,
    first_seen,
    last_seen,
    sample
FROM alike
WHERE now_errors > 0
ORDER BY errors DESC, service, exception, message
LIMIT $limit
