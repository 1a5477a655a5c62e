/*
title = "Sessions"
description = """
Requests of one visitor of which none comes more than 30 minutes after the one before. A visitor is a session id, or
where there is none a client address with its user agent. A session ends with the day (UTC).
"""

[columns]
timestamp = "timestamptz: its first request"
collection = "string: the set of logs"
end_timestamp = "timestamptz: its last request"
visitor = "string: hash of the session id, or of address and user agent"
client_address = "string: address of the client"
duration_s = "double: seconds between the first and the last request"
requests = "long: requests"
pages = "long: requests of pages: no static files, answered with a status below 400"
entry_path = "string: path of the first request"
exit_path = "string: path of the last request"
bytes = "long: bytes of all responses"
errors = "long: requests answered with a status of 400 or above"
is_bot = "boolean: whether the user agent is a bot"
*/
WITH seen AS (
    SELECT timestamp, collection, client_address, url_path, http_response_status_code AS status,
        coalesce(http_response_body_size, 0) AS size, coalesce(user_agent_is_bot, false) AS is_bot, source, "offset", item,
        md5(coalesce(session_id, concat(coalesce(client_address, ''), '|', coalesce(user_agent_original, '')))) AS visitor,
        date_trunc('day', timestamp) AS day
    FROM logs
    WHERE timestamp >= $since AND timestamp < $until
      AND url_path IS NOT NULL AND (client_address IS NOT NULL OR session_id IS NOT NULL)
),
begun AS (
    SELECT *, CASE WHEN timestamp <= lag(timestamp) OVER (
            PARTITION BY day, collection, visitor ORDER BY timestamp, source, "offset", item) + INTERVAL 30 MINUTE
        THEN 0 ELSE 1 END AS begins
    FROM seen
),
numbered AS (
    SELECT *, sum(begins) OVER (
        PARTITION BY day, collection, visitor ORDER BY timestamp, source, "offset", item
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session
    FROM begun
)
SELECT
    min(timestamp) AS timestamp,
    collection,
    max(timestamp) AS end_timestamp,
    visitor,
    min(client_address) AS client_address,
    date_diff('millisecond', min(timestamp), max(timestamp)) / 1000.0 AS duration_s,
    count(*) AS requests,
    count(*) FILTER (WHERE coalesce(status, 200) < 400 AND NOT regexp_matches(lower(url_path),
        '\.(css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|mp4|webm|mp3|json|xml|txt)$')) AS pages,
    arg_min(url_path, timestamp) AS entry_path,
    arg_max(url_path, timestamp) AS exit_path,
    CAST(sum(size) AS BIGINT) AS bytes,
    count(*) FILTER (WHERE status >= 400) AS errors,
    CAST(max(CAST(is_bot AS INTEGER)) = 1 AS BOOLEAN) AS is_bot
FROM numbered
GROUP BY day, collection, visitor, session
