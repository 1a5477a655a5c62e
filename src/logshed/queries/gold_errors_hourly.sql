/*
title = "Errors by hour"
description = """
Records of severity ERROR and above, and requests answered with a status of 500 and above, by service, logger, exception
and what their messages have in common: UUIDs, hexadecimal numbers, quoted texts and numbers are replaced by <uuid>,
<hex>, <text> and <n>, and only the first line counts.
"""
uses = ["error_messages"]

[columns]
timestamp = "timestamptz: beginning of the hour"
collection = "string: the set of logs"
service_name = "string: service"
scope_name = "string: the logger"
exception_type = "string: class of the exception"
message_template = "string: what the messages have in common; empty where there is none"
errors = "long: records"
first_timestamp = "timestamptz: the first of them"
last_timestamp = "timestamptz: the last of them"
*/
WITH counted AS (
    SELECT
        date_trunc('hour', timestamp) AS hour,
        collection,
        service_name,
        scope_name,
        exception_type,
        text,
        count(*) AS errors,
        min(timestamp) AS first_timestamp,
        max(timestamp) AS last_timestamp
    FROM errors
    WHERE severity_number >= 17 OR http_response_status_code >= 500
    GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT
    hour AS timestamp,
    collection,
    service_name,
    scope_name,
    exception_type,
    message AS message_template,
    CAST(sum(errors) AS BIGINT) AS errors,
    min(first_timestamp) AS first_timestamp,
    max(last_timestamp) AS last_timestamp
FROM counted
JOIN error_messages USING (text)
GROUP BY hour, collection, service_name, scope_name, exception_type, message
