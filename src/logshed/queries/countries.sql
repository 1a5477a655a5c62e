/*
title = "Countries"
description = """
Requests by the country that the client address is in. A visitor is a client address with a user agent on a day (UTC),
as GoAccess counts them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "map", x = "country", y = "requests" }

[columns]
country = "two letters; null where it is not known"
requests = "requests"
percent = "share of all requests"
visitors = "visitors"
bytes = "bytes of all responses"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT
        client_geo_country_iso_code AS country,
        client_address,
        count(*) AS requests,
        coalesce(sum(http_response_body_size), 0) AS bytes
    FROM web_requests
    GROUP BY client_geo_country_iso_code, day, client_address, user_agent_original
)
SELECT
    country,
    sum(requests) AS requests,
    floor(sum(requests) * 10000.0 / sum(sum(requests)) OVER () + 0.5) / 100 AS percent,
    count(client_address) AS visitors,
    sum(bytes) AS bytes
FROM visits
GROUP BY country
ORDER BY requests DESC, country
LIMIT $limit
