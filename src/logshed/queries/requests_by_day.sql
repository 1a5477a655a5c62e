/*
title = "Requests by day"
description = """
Requests of each day by what one column says. A template is that of the path, else the path; a site is the host of the
referring page, in small letters. Requests without a site or an address are left out where these are asked for.
"""
window = "7d"
chart = { kind = "line", x = "day", y = "requests", by = "what" }

[columns]
day = "the day"
what = "what the column says; null where it says nothing"
requests = "requests"
errors = "requests answered with status 400 or above"
server_errors = "requests answered with status 500 or above"
not_found = "requests answered with status 404"
bytes = "bytes of all responses"

[parameters]
by = { kind = "string", default = "status", meaning = "status, method, country, template, path, client or site" }
*/
WITH requests AS (
    SELECT
        CAST(date_trunc('day', timestamp) AS DATE) AS day,
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
        http_response_status_code AS status,
        coalesce(http_response_body_size, 0) AS size
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
)
SELECT
    day,
    what,
    count(*) AS requests,
    count(*) FILTER (WHERE status >= 400) AS errors,
    count(*) FILTER (WHERE status >= 500) AS server_errors,
    count(*) FILTER (WHERE status = 404) AS not_found,
    sum(size) AS bytes
FROM requests
WHERE what IS NOT NULL OR $by NOT IN ('client', 'site')
GROUP BY day, what
ORDER BY day, what
