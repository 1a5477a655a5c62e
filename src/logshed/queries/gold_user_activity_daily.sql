/*
title = "What users did by day"
description = """
Records, requests and failures of each user that a record names.
"""

[columns]
timestamp = "timestamptz: beginning of the day, UTC"
collection = "string: the set of logs"
user_id = "string: the user, or the pseudonym"
records = "long: records"
requests = "long: requests"
failures = "long: failed events, and requests answered with a status of 400 or above"
services = "long: different services"
clients = "long: different client addresses"
first_timestamp = "timestamptz: the first record"
last_timestamp = "timestamptz: the last record"
*/
SELECT
    date_trunc('day', timestamp) AS timestamp,
    collection,
    user_id,
    count(*) AS records,
    count(*) FILTER (WHERE url_path IS NOT NULL) AS requests,
    count(*) FILTER (WHERE event_outcome = 'failure' OR http_response_status_code >= 400) AS failures,
    count(DISTINCT service_name) AS services,
    count(DISTINCT client_address) AS clients,
    min(timestamp) AS first_timestamp,
    max(timestamp) AS last_timestamp
FROM logs
WHERE timestamp >= $since AND timestamp < $until AND user_id IS NOT NULL AND user_id <> '-'
GROUP BY date_trunc('day', timestamp), collection, user_id
