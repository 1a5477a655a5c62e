/*
title = "Events by region"
description = """
Records by the country and region that their client is in, with what went wrong. An error is a record of severity ERROR
or above, or a request answered with status 500 or above. Records without a country are left out.
"""
window = "7d"
chart = { kind = "map", x = "country", y = "events" }
keys = ["country", "region"]

[columns]
country = "two letters"
region = "the region; null where it is not known"
events = "records"
clients = "different client addresses"
users = "different users"
refused = "requests answered with 401 or 403, and events with the outcome failure"
errors = "errors of both kinds"
listed = "records of clients that a threat list names"
last_seen = "the newest record"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
SELECT
    client_geo_country_iso_code AS country,
    client_geo_region AS region,
    count(*) AS events,
    count(DISTINCT client_address) AS clients,
    count(DISTINCT user_id) AS users,
    count(*) FILTER (WHERE http_response_status_code IN (401, 403) OR event_outcome = 'failure') AS refused,
    count(*) FILTER (WHERE severity_number >= 17 OR http_response_status_code >= 500) AS errors,
    count(*) FILTER (WHERE client_threat_list IS NOT NULL) AS listed,
    max(timestamp) AS last_seen
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND client_geo_country_iso_code IS NOT NULL
GROUP BY 1, 2
ORDER BY events DESC, country, region
LIMIT $limit
