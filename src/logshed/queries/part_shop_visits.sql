/*
description = """
The records of shop_records of visitors who took a step, each with the number of its session and its number among all of
its visitor. A session ends where no record of the visitor follows for the gap.
"""

[parameters]
gap = { kind = "integer", default = 30, meaning = "minutes without a record that end a session" }
*/
SELECT
    *,
    sum(CASE WHEN gap_us / 60000000.0 > $gap THEN 1 ELSE 0 END) OVER (
        PARTITION BY visitor
        ORDER BY number
        ROWS UNBOUNDED PRECEDING
    ) AS session
FROM (
    SELECT
        *,
        epoch_us(timestamp) - lag(epoch_us(timestamp)) OVER (
            PARTITION BY visitor
            ORDER BY timestamp, source, "offset", item
        ) AS gap_us,
        row_number() OVER (PARTITION BY visitor ORDER BY timestamp, source, "offset", item) AS number
    FROM shop_records
    WHERE visitor IN (SELECT visitor FROM shop_records WHERE place IS NOT NULL AND visitor IS NOT NULL)
) AS gaps
