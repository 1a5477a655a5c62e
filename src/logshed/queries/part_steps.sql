/*
description = """
One row: step_s, the seconds that a bar of a histogram of the window is wide, so that there are 96 bars at most where a
day is enough for one. It is a whole part of a day, so that bars begin where days do.
"""
*/
SELECT
    CASE
        WHEN span_s <= 96 THEN 1
        WHEN span_s <= 480 THEN 5
        WHEN span_s <= 960 THEN 10
        WHEN span_s <= 2880 THEN 30
        WHEN span_s <= 5760 THEN 60
        WHEN span_s <= 28800 THEN 300
        WHEN span_s <= 86400 THEN 900
        WHEN span_s <= 172800 THEN 1800
        WHEN span_s <= 345600 THEN 3600
        WHEN span_s <= 1036800 THEN 10800
        WHEN span_s <= 2073600 THEN 21600
        ELSE 86400
    END AS step_s
FROM (
    SELECT (epoch_us(max(timestamp)) - epoch_us(min(timestamp))) // 1000000 AS span_s
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
) AS ends
