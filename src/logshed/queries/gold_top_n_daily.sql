/*
title = "The most frequent values by day"
description = """
The 100 most frequent paths, clients, referrers, user agents, countries and error messages of each day.
"""

[columns]
timestamp = "timestamptz: beginning of the day, UTC"
collection = "string: the set of logs"
dimension = "string: path, client, referrer, user_agent, country or error"
value = "string: the value"
place = "int: its place, 1 is the most frequent"
records = "long: records with it"
bytes = "long: bytes of their responses"
*/
WITH seen AS (
    SELECT date_trunc('day', timestamp) AS day, collection, coalesce(http_response_body_size, 0) AS size,
        url_path, client_address, http_referrer, user_agent_original, client_geo_country_iso_code,
        CASE WHEN severity_number >= 17 THEN coalesce(exception_type, left(body, 200)) END AS error
    FROM logs
    WHERE timestamp >= $since AND timestamp < $until
),
counted AS (
    SELECT day, collection, 'path' AS dimension, url_path AS value, size FROM seen
    UNION ALL SELECT day, collection, 'client', client_address, size FROM seen
    UNION ALL SELECT day, collection, 'referrer', http_referrer, size FROM seen
    UNION ALL SELECT day, collection, 'user_agent', user_agent_original, size FROM seen
    UNION ALL SELECT day, collection, 'country', client_geo_country_iso_code, size FROM seen
    UNION ALL SELECT day, collection, 'error', error, size FROM seen
),
summed AS (
    SELECT day, collection, dimension, value, count(*) AS records, CAST(sum(size) AS BIGINT) AS bytes
    FROM counted
    WHERE value IS NOT NULL AND value <> '-'
    GROUP BY day, collection, dimension, value
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY day, collection, dimension ORDER BY records DESC, value) AS place
    FROM summed
)
SELECT day AS timestamp, collection, dimension, value, CAST(place AS INTEGER) AS place, records, bytes
FROM placed
WHERE place <= 100
