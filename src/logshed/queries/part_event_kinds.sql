/*
description = """
Every record of the window with its kind, the type of its event, and its region. Security events are records of logs of
the types security and audit, requests answered with 401, 403 or 407, events with the outcome failure, and records of
clients on a threat list; the rest are application events. The type of an event is its name; of a request its class of
status, such as HTTP 4xx; of what is left the class of its exception, else its level, such as ERROR message. The region
is that of the cloud, else the country and region of the client.
"""
*/
SELECT
    timestamp,
    CASE
        WHEN log_type IN ('security', 'audit')
            OR http_response_status_code IN (401, 403, 407)
            OR (event_name IS NOT NULL AND event_outcome = 'failure')
            OR client_threat_list IS NOT NULL THEN 'security'
        ELSE 'application'
    END AS kind,
    coalesce(
        event_name,
        CASE
            WHEN http_response_status_code >= 500 THEN 'HTTP 5xx'
            WHEN http_response_status_code >= 400 THEN 'HTTP 4xx'
            WHEN http_response_status_code >= 300 THEN 'HTTP 3xx'
            WHEN http_response_status_code >= 200 THEN 'HTTP 2xx'
            WHEN http_response_status_code IS NOT NULL THEN 'HTTP 1xx'
        END,
        exception_type,
        upper(severity_text) || ' message',
        'other'
    ) AS event,
    coalesce(
        cloud_region,
        client_geo_country_iso_code || ', ' || client_geo_region,
        client_geo_country_iso_code,
        'unknown'
    ) AS region,
    coalesce(scope_name, service_name, source) AS logger,
    severity_text AS level,
    severity_number,
    exception_type AS exception,
    service_name AS service,
    http_response_status_code AS http_status,
    redaction_count,
    coalesce(
        exception_message, body, http_request_method || ' ' || url_path, url_path, event_name
    ) AS message
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
