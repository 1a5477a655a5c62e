/*
title = "Failed access"
description = """
Access that was refused, by client, user and resource: requests answered with 401, 403 or 407, events with a name and
the outcome failure, and messages that hold access denied, permission denied, not authorized, unauthorized or forbidden.
"""
window = "7d"
chart = { kind = "bar", x = "resource", y = "refused", by = "client" }
keys = ["client", "user", "resource", "service"]

[columns]
client = "address of the client; null where the record names none"
user = "the user; null where the record names none"
resource = "path of the request, or name of the event; null where the record has neither"
service = "the service; null where the log names none"
refused = "how often"
first_seen = "the first of them"
last_seen = "the last of them"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
SELECT
    client_address AS client,
    user_id AS user,
    coalesce(url_path, event_name) AS resource,
    service_name AS service,
    count(*) AS refused,
    min(timestamp) AS first_seen,
    max(timestamp) AS last_seen
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND (
      http_response_status_code IN (401, 403, 407)
      OR (event_outcome = 'failure' AND event_name IS NOT NULL)
      OR body ILIKE '%access denied%'
      OR body ILIKE '%permission denied%'
      OR body ILIKE '%not authorized%'
      OR body ILIKE '%unauthorized%'
      OR body ILIKE '%forbidden%'
  )
GROUP BY 1, 2, 3, 4
ORDER BY refused DESC, client, user_id, resource, service
LIMIT $limit
