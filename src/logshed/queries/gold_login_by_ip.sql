/*
title = "Logins by address and day"
description = """
Logins of any service, and CloudTrail's console logins, by client address.
"""

[columns]
timestamp = "timestamptz: beginning of the day, UTC"
collection = "string: the set of logs"
client_address = "string: address of the client"
country = "string: its country"
logins = "long: logins that succeeded"
failed_logins = "long: logins that failed"
users = "long: different users"
*/
SELECT
    date_trunc('day', timestamp) AS timestamp,
    collection,
    client_address,
    min(client_geo_country_iso_code) AS country,
    count(*) FILTER (WHERE event_outcome = 'success') AS logins,
    count(*) FILTER (WHERE event_outcome = 'failure') AS failed_logins,
    count(DISTINCT user_id) AS users
FROM logs
WHERE timestamp >= $since AND timestamp < $until
  AND event_name IN ('login', 'ConsoleLogin', 'user.session.start') AND client_address IS NOT NULL
GROUP BY date_trunc('day', timestamp), collection, client_address
