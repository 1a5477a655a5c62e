/*
description = """
What of the records of the window security looks at first. A suspicious login is one that failed (a request answered
with 401, an event of a login with the outcome failure, sshd's Failed password and messages like it), and any login of a
client on a threat list. A failed call is an event with a name and the outcome failure that is no login, or a request
below /api/ answered with 400 or above, but not 401. Console access is an event whose name holds console. A client is
external where it is in no internal network.
"""
*/
SELECT
    timestamp,
    client_address,
    client_is_internal,
    (
        coalesce(http_response_status_code = 401, false)
        OR coalesce(
            event_name ILIKE '%login%' AND (event_outcome = 'failure' OR client_threat_list IS NOT NULL), false
        )
        OR coalesce(
            body ILIKE 'failed password%'
            OR body ILIKE 'failed publickey%'
            OR body ILIKE '%login failed%'
            OR body ILIKE '%failed login%'
            OR body ILIKE '%authentication failed%',
            false
        )
    ) AS suspicious_login,
    (
        coalesce(event_outcome = 'failure' AND NOT (event_name ILIKE '%login%'), false)
        OR coalesce(
            http_response_status_code >= 400 AND http_response_status_code <> 401 AND url_path LIKE '%/api/%', false
        )
    ) AS failed_call,
    coalesce(event_name ILIKE '%console%', false) AS console_access
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
