/*
description = """
Requests of visitors, each with the number of its session and its place among all of its visitor. A session ends where
no request of the visitor follows for the gap.
"""
uses = ["requests"]

[parameters]
gap = { kind = "integer", default = 30, meaning = "minutes without a request that end a session" }
*/
SELECT
    *,
    sum(CASE WHEN gap_us / 60000000.0 > $gap THEN 1 ELSE 0 END) OVER (
        PARTITION BY visitor
        ORDER BY place
        ROWS UNBOUNDED PRECEDING
    ) AS session
FROM (
    SELECT
        *,
        epoch_us(timestamp) - lag(epoch_us(timestamp)) OVER (
            PARTITION BY visitor
            ORDER BY timestamp, source, "offset", item
        ) AS gap_us,
        row_number() OVER (PARTITION BY visitor ORDER BY timestamp, source, "offset", item) AS place
    FROM requests
) AS gaps
