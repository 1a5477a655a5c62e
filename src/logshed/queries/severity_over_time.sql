/*
uses = ["steps"]
title = "Records by severity"
description = """
Records over time by their severity, as OpenTelemetry numbers it: fatal (21 and above), error, warn, info, debug, trace,
and unset where a record has none, as those of access logs. Bars are as wide as the window asks for: a second to a day.
"""
window = "24h"
chart = { kind = "bar", x = "time", y = "records", by = "severity" }

[columns]
time = "where the bar begins"
severity = "fatal, error, warn, info, debug, trace or unset"
records = "records"
*/
SELECT
    time_bucket(to_seconds((SELECT step_s FROM steps)), first_record) AS time,
    CASE
        WHEN severity_number >= 21 THEN 'fatal'
        WHEN severity_number >= 17 THEN 'error'
        WHEN severity_number >= 13 THEN 'warn'
        WHEN severity_number >= 9 THEN 'info'
        WHEN severity_number >= 5 THEN 'debug'
        WHEN severity_number >= 1 THEN 'trace'
        ELSE 'unset'
    END AS severity,
    sum(records) AS records
FROM (
    SELECT
        epoch_us(timestamp) // 1000000 // (SELECT step_s FROM steps) AS bar,
        severity_number,
        min(timestamp) AS first_record,
        count(*) AS records
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
    GROUP BY 1, 2
) AS bars
GROUP BY 1, 2
ORDER BY time, severity
