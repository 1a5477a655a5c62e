/*
title = "Failed logins"
description = """
Attempts to log in that failed, by client and user. Counted are requests answered with 401, events of a login that say
they failed, and messages such as sshd's "Failed password". The client and the user of a message are read from its text
where the record has no column for them.
"""
window = "7d"
chart = { kind = "bar", x = "client", y = "attempts", by = "user" }

[columns]
client = "address of the client; null where the record names none"
user = "the user that was tried; null where the record names none"
attempts = "failed attempts"
first_attempt = "the first of them"
last_attempt = "the last of them"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH failed AS (
    SELECT
        timestamp,
        coalesce(client_address, nullif(regexp_extract(body, ' from ([0-9A-Fa-f:.]+)', 1), '')) AS client,
        coalesce(user_id, nullif(regexp_extract(body, ' for (?:invalid user )?([^ ]+) from ', 1), '')) AS username
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND (
          http_response_status_code = 401
          OR (event_outcome = 'failure' AND event_name ILIKE '%login%')
          OR body ILIKE 'failed password%'
          OR body ILIKE 'failed publickey%'
          OR body ILIKE '%login failed%'
          OR body ILIKE '%failed login%'
          OR body ILIKE '%authentication failed%'
      )
)
SELECT
    client,
    username AS user,
    count(*) AS attempts,
    min(timestamp) AS first_attempt,
    max(timestamp) AS last_attempt
FROM failed
GROUP BY 1, 2
ORDER BY attempts DESC, client, username
LIMIT $limit
