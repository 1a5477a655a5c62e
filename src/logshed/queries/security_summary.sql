/*
uses = ["security_signs"]
title = "Security summary"
description = """
Four figures to look at first, each with the risk that it stands for. A suspicious login is one that failed (a request
answered with 401, an event of a login with the outcome failure, a message such as Failed password), and any login of a
client on a threat list. A failed API call is an event with a name and the outcome failure that is no login, or a
request below /api/ answered with 400 or above, but not 401. Console access is an event whose name holds console. An
external IP is a client address outside of internal networks.
"""
window = "7d"
chart = { kind = "bar", x = "security_metric", y = "count" }

[columns]
security_metric = "what is counted"
count = "how often; of external IPs, how many different ones"
risk_level = "High, Medium or Low"
*/
WITH counted AS (
    SELECT
        count(*) FILTER (WHERE suspicious_login) AS suspicious_logins,
        count(*) FILTER (WHERE failed_call) AS failed_calls,
        count(*) FILTER (WHERE console_access) AS console_access,
        count(DISTINCT client_address) FILTER (WHERE NOT client_is_internal) AS external_ips
    FROM security_signs
    HAVING count(*) > 0
),
placed AS (
    SELECT 1 AS place, 'Suspicious Logins' AS security_metric, suspicious_logins AS count, 'High' AS risk_level
    FROM counted
    UNION ALL
    SELECT 2 AS place, 'Failed API Calls' AS security_metric, failed_calls AS count, 'Medium' AS risk_level FROM counted
    UNION ALL
    SELECT 3 AS place, 'Console Access' AS security_metric, console_access AS count, 'Low' AS risk_level FROM counted
    UNION ALL
    SELECT 4 AS place, 'External IPs' AS security_metric, external_ips AS count, 'High' AS risk_level FROM counted
)
SELECT security_metric, count, risk_level
FROM placed
ORDER BY place
