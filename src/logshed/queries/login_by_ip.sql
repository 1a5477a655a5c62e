/*
title = "Logins by address"
description = """
Attempts to log in by client address, and whether they succeeded. Counted are events whose name holds login, logon,
authentication or userAuthenticate and which have an outcome, requests answered with 401 (failed), and messages of sshd
that begin with Accepted or Failed. The client and the user of a message are read from its text where the record has no
column for them.
"""
window = "7d"
chart = { kind = "bar", x = "client", y = "attempts" }

[columns]
client = "address of the client; null where the record names none"
country = "country that it is in, two letters"
attempts = "attempts"
succeeded = "those that succeeded"
failed = "those that failed"
failed_percent = "their share"
users = "different users that were tried"
first_attempt = "the first attempt"
last_attempt = "the last attempt"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH attempts AS (
    SELECT
        timestamp,
        coalesce(client_address, nullif(regexp_extract(body, ' from ([0-9A-Fa-f:.]+)', 1), '')) AS client,
        coalesce(user_id, nullif(regexp_extract(body, ' for (?:invalid user )?([^ ]+) from ', 1), '')) AS username,
        client_geo_country_iso_code AS country,
        CASE
            WHEN event_outcome IN ('success', 'failure') AND regexp_matches(event_name, '(?i)(?:log[io]n|authenticat)')
                THEN event_outcome
            WHEN http_response_status_code = 401 THEN 'failure'
            WHEN regexp_matches(body, '^Failed (?:password|publickey|keyboard-interactive|none)') THEN 'failure'
            WHEN regexp_matches(body, '^Accepted (?:password|publickey|keyboard-interactive)') THEN 'success'
        END AS outcome
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND (
          event_outcome IS NOT NULL
          OR http_response_status_code = 401
          OR body LIKE 'Failed %'
          OR body LIKE 'Accepted %'
      )
)
SELECT
    client,
    max(country) AS country,
    count(*) AS attempts,
    count(*) FILTER (WHERE outcome = 'success') AS succeeded,
    count(*) FILTER (WHERE outcome = 'failure') AS failed,
    floor(count(*) FILTER (WHERE outcome = 'failure') * 10000.0 / count(*) + 0.5) / 100 AS failed_percent,
    count(DISTINCT username) AS users,
    min(timestamp) AS first_attempt,
    max(timestamp) AS last_attempt
FROM attempts
WHERE outcome IS NOT NULL
GROUP BY client
ORDER BY failed DESC, attempts DESC, client
LIMIT $limit
