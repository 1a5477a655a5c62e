/*
uses = ["security_signs"]
title = "Security summary by day"
description = """
The figures of the security summary for each day with records. A suspicious login is one that failed (a request answered
with 401, an event of a login with the outcome failure, a message such as Failed password), and any login of a client on
a threat list. A failed API call is an event with a name and the outcome failure that is no login, or a request below
/api/ answered with 400 or above, but not 401. Console access is an event whose name holds console. An external IP is a
client address outside of internal networks. Different addresses of several days do not add up, so these have no figure
here.
"""
window = "7d"
chart = { kind = "line", x = "day", y = "count", by = "security_metric" }

[columns]
day = "the day"
security_metric = "what is counted"
count = "how often; null of external IPs"
risk_level = "High, Medium or Low"
*/
WITH counted AS (
    SELECT
        CAST(date_trunc('day', timestamp) AS DATE) AS day,
        count(*) FILTER (WHERE suspicious_login) AS suspicious_logins,
        count(*) FILTER (WHERE failed_call) AS failed_calls,
        count(*) FILTER (WHERE console_access) AS console_access
    FROM security_signs
    GROUP BY 1
),
placed AS (
    SELECT day, 1 AS place, 'Suspicious Logins' AS security_metric, suspicious_logins AS count, 'High' AS risk_level
    FROM counted
    UNION ALL
    SELECT day, 2 AS place, 'Failed API Calls' AS security_metric, failed_calls AS count, 'Medium' AS risk_level
    FROM counted
    UNION ALL
    SELECT day, 3 AS place, 'Console Access' AS security_metric, console_access AS count, 'Low' AS risk_level
    FROM counted
    UNION ALL
    SELECT day, 4 AS place, 'External IPs' AS security_metric, nullif(console_access, console_access) AS count, 'High' AS risk_level
    FROM counted
)
SELECT day, security_metric, count, risk_level
FROM placed
ORDER BY day, place
