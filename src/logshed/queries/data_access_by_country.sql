/*
title = "Data access by country"
description = """
Which countries data went to: requests that were answered below 400, by the country that the client address is in.
"""
window = "30d"
chart = { kind = "map", x = "country", y = "bytes" }

[columns]
country = "two letters; null where it is not known"
requests = "requests answered below 400"
users = "different users"
clients = "different client addresses"
paths = "different paths"
bytes = "bytes of their responses"
percent = "share of all these bytes"
first_seen = "the first request"
last_seen = "the last request"

[parameters]
service = { kind = "string", meaning = "only this service" }
path = { kind = "string", meaning = "only paths that begin so" }
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
WITH countries AS (
    SELECT
        client_geo_country_iso_code AS country,
        count(*) AS requests,
        count(DISTINCT user_id) AS users,
        count(DISTINCT client_address) AS clients,
        count(DISTINCT url_path) AS paths,
        coalesce(sum(http_response_body_size), 0) AS bytes,
        min(timestamp) AS first_seen,
        max(timestamp) AS last_seen
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code < 400
      AND ($service IS NULL OR service_name = $service)
      AND ($path IS NULL OR starts_with(url_path, $path))
    GROUP BY 1
)
SELECT
    country,
    requests,
    users,
    clients,
    paths,
    bytes,
    coalesce(floor(bytes * 10000.0 / nullif(sum(bytes) OVER (), 0) + 0.5) / 100, 0) AS percent,
    first_seen,
    last_seen
FROM countries
ORDER BY bytes DESC, requests DESC, country
LIMIT $limit
