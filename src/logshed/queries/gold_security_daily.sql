/*
title = "Security by day"
description = """
Logins, denied requests and calls by day.
"""

[columns]
timestamp = "timestamptz: beginning of the day, UTC"
collection = "string: the set of logs"
logins = "long: logins that succeeded"
failed_logins = "long: logins that failed"
denied = "long: requests answered with 401 or 403"
clients = "long: different client addresses"
external_clients = "long: different client addresses outside of internal networks"
threat_list_records = "long: records of clients that a threat list names"
*/
SELECT
    date_trunc('day', timestamp) AS timestamp,
    collection,
    count(*) FILTER (WHERE event_name IN ('login', 'ConsoleLogin') AND event_outcome = 'success') AS logins,
    count(*) FILTER (WHERE event_name IN ('login', 'ConsoleLogin') AND event_outcome = 'failure') AS failed_logins,
    count(*) FILTER (WHERE http_response_status_code IN (401, 403)) AS denied,
    count(DISTINCT client_address) AS clients,
    count(DISTINCT client_address) FILTER (WHERE NOT client_is_internal) AS external_clients,
    count(*) FILTER (WHERE client_threat_list IS NOT NULL) AS threat_list_records
FROM logs
WHERE timestamp >= $since AND timestamp < $until
GROUP BY date_trunc('day', timestamp), collection
