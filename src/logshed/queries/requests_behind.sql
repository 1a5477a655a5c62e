/*
title = "Requests behind"
description = """
What was asked for behind a status, method, country, template, path, client or site: the most common requests of each. A
template is that of the path, else the path; a site is the host of the referring page, in small letters.
"""
window = "7d"
keys = []
chart = { kind = "bar", x = "path", y = "requests" }

[columns]
what = "what the column says; null where it says nothing"
method = "method of the request"
path = "path of the request"
http_status = "status code of the response"
requests = "requests"
clients = "different client addresses"
last_seen = "the last of them"

[parameters]
by = { kind = "string", default = "status", meaning = "status, method, country, template, path, client or site" }
status = { kind = "integer", default = 0, meaning = "only responses of this status code and above" }
limit = { kind = "integer", default = 10, meaning = "rows for each" }
*/
WITH requests AS (
    SELECT
        timestamp,
        CASE $by
            WHEN 'status' THEN CAST(http_response_status_code AS VARCHAR)
            WHEN 'method' THEN http_request_method
            WHEN 'country' THEN client_geo_country_iso_code
            WHEN 'template' THEN coalesce(url_template, url_path)
            WHEN 'path' THEN url_path
            WHEN 'client' THEN client_address
            WHEN 'site' THEN
                nullif(lower(regexp_extract(http_referrer, '^[A-Za-z]+://(?:[^/@]*@)?([^/:?#]+)', 1)), '')
        END AS what,
        http_request_method AS method,
        url_path AS path,
        http_response_status_code AS http_status,
        client_address
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code >= $status
),
alike AS (
    SELECT
        what,
        method,
        path,
        http_status,
        count(*) AS requests,
        count(DISTINCT client_address) AS clients,
        max(timestamp) AS last_seen
    FROM requests
    GROUP BY what, method, path, http_status
),
placed AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY what ORDER BY requests DESC, path NULLS LAST, method NULLS LAST, http_status
        ) AS place
    FROM alike
)
SELECT what, method, path, http_status, requests, clients, last_seen
FROM placed
WHERE place <= $limit
ORDER BY what, requests DESC, path, method, http_status
