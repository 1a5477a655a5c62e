/*
title = "Requests by hour"
description = """
Requests by service, method, class of status and template of the path. Clients are different addresses within
the hour: those of two hours cannot be added.
"""

[columns]
timestamp = "timestamptz: beginning of the hour"
collection = "string: the set of logs"
service_name = "string: service that was asked"
http_request_method = "string: GET, POST ..."
status_class = "string: 2xx, 3xx, 4xx, 5xx"
url_template = "string: path with its variable parts named; the path where there is no template"
requests = "long: requests"
bytes = "long: bytes of all responses"
clients = "long: different client addresses"
bot_requests = "long: requests of bots"
*/
SELECT
    date_trunc('hour', timestamp) AS timestamp,
    collection,
    service_name,
    http_request_method,
    CASE WHEN http_response_status_code IS NULL THEN NULL
         ELSE concat(CAST(http_response_status_code // 100 AS VARCHAR), 'xx') END AS status_class,
    coalesce(url_template, url_path) AS url_template,
    count(*) AS requests,
    CAST(coalesce(sum(http_response_body_size), 0) AS BIGINT) AS bytes,
    count(DISTINCT client_address) AS clients,
    count(*) FILTER (WHERE user_agent_is_bot) AS bot_requests
FROM logs
WHERE timestamp >= $since AND timestamp < $until
  AND (http_request_method IS NOT NULL OR url_path IS NOT NULL)
GROUP BY ALL
