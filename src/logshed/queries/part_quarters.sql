/*
description = """
Quarters of an hour that have records, with the hour, the day, the Monday, the weekday (1 is Monday) and the hour of the
day that each lies in: every zone's hours and days begin with one. A record is in the quarter
epoch_us(timestamp) // 900000000. These are told once for each quarter, which takes a third of the time that telling
them for each record does.
"""
*/
SELECT
    quarter,
    time_bucket(to_seconds(3600), first_record) AS hour,
    date_trunc('day', first_record) AS day,
    CAST(date_trunc('week', first_record) AS DATE) AS monday,
    isodow(first_record) AS weekday,
    extract(hour FROM first_record) AS hour_of_day
FROM (
    SELECT epoch_us(timestamp) // 900000000 AS quarter, min(timestamp) AS first_record
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
    GROUP BY 1
) AS beginnings
