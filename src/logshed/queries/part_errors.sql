/*
description = """
Errors: records of severity ERROR or above, with an exception, or requests answered with status 500 or above, from
$before on. Text is the first line of the exception's message, else of the message.
"""
*/
SELECT
    timestamp,
    collection,
    service_name,
    scope_name,
    exception_type,
    severity_number,
    http_response_status_code,
    regexp_extract(coalesce(exception_message, body, ''), '^[^\r\n]*', 0) AS text
FROM logs
WHERE timestamp >= $before
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND (severity_number >= 17 OR exception_type IS NOT NULL OR http_response_status_code >= 500)
