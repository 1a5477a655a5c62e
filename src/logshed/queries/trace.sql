/*
title = "Lines of a trace"
description = """
All records of one trace in the order of their time. Without trace_id it is the trace of the newest record that has one.
"""
window = "7d"
chart = { kind = "waterfall", x = "what", y = "duration_ms", by = "offset_ms" }

[columns]
offset_ms = "milliseconds since the first record of the trace"
timestamp = "when it happened"
service = "the service; null where the log names none"
host = "the host"
span_id = "the span"
severity = "the severity as the log wrote it"
what = "the message, or method and path of a request"
http_status = "status code of the response"
duration_ms = "milliseconds that it took"
record_id = "name of the record"

[parameters]
trace_id = { kind = "string", meaning = "the trace; without it the newest one" }
limit = { kind = "integer", default = 1000, meaning = "rows to show" }
*/
WITH traced AS (
    SELECT *
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND ($trace_id IS NULL OR trace_id = $trace_id)
      AND trace_id <> ''
),
newest AS (
    SELECT trace_id AS wanted
    FROM traced
    ORDER BY timestamp DESC, trace_id
    LIMIT 1
),
records AS (
    SELECT *, min(epoch_us(timestamp)) OVER () AS begin_us
    FROM traced
    WHERE trace_id IN (SELECT wanted FROM newest)
)
SELECT
    (epoch_us(timestamp) - begin_us) / 1000.0 AS offset_ms,
    timestamp,
    service_name AS service,
    host_name AS host,
    span_id,
    severity_text AS severity,
    coalesce(body, concat(coalesce(http_request_method, ''), ' ', coalesce(url_path, ''))) AS what,
    http_response_status_code AS http_status,
    duration_ms,
    record_id
FROM records
ORDER BY timestamp, source, generation, "offset", item
LIMIT $limit
