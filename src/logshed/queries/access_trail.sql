/*
title = "Access trail"
description = """
Who had access to what, and when: requests, and events with a user. With user only those of that user; with resource
only those whose path, template or event holds that text. Newest first.
"""
window = "7d"
chart = { kind = "timeline", x = "timestamp", y = "resource" }

[columns]
timestamp = "when it happened"
user = "the user; null where the record names none"
client = "address of the client"
country = "country of the client, two letters"
action = "method of the request, or name of the event"
resource = "path of the request, or the message"
outcome = "success or failure; of a request, failure is a status of 400 or above"
http_status = "status code of the response"
service = "the service"
record_id = "name of the record"

[parameters]
user = { kind = "string", meaning = "only this user" }
resource = { kind = "string", meaning = "only what holds this text" }
limit = { kind = "integer", default = 100, meaning = "rows to show" }
*/
SELECT
    timestamp,
    user_id AS user,
    client_address AS client,
    client_geo_country_iso_code AS country,
    coalesce(event_name, http_request_method) AS action,
    coalesce(url_path, body) AS resource,
    CASE
        WHEN event_outcome IS NOT NULL THEN event_outcome
        WHEN http_response_status_code >= 400 THEN 'failure'
        WHEN http_response_status_code IS NOT NULL THEN 'success'
    END AS outcome,
    http_response_status_code AS http_status,
    service_name AS service,
    record_id
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND (http_response_status_code IS NOT NULL OR (user_id IS NOT NULL AND (event_name IS NOT NULL OR body IS NOT NULL)))
  AND ($user IS NULL OR user_id = $user)
  AND (
      $resource IS NULL
      OR strpos(coalesce(url_path, ''), $resource) > 0
      OR strpos(coalesce(url_template, ''), $resource) > 0
      OR strpos(coalesce(event_name, ''), $resource) > 0
  )
ORDER BY timestamp DESC, source, generation, "offset", item
LIMIT $limit
