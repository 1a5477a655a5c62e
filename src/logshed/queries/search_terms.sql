/*
title = "Search terms"
description = """
What visitors searched for on the site: the parameters q, query, s, search and keyword of requests, decoded, in small
letters. A visitor is a client address with a user agent. Text that is no UTF-8 once decoded stays as it was sent.
"""
window = "7d"
chart = { kind = "bar", x = "term", y = "searches" }

[columns]
term = "what was searched for"
searches = "requests with it"
visitors = "different clients with a user agent"
example_path = "path of one of the requests"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "string", meaning = "a client address to leave out; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH parameters AS (
    SELECT
        url_path AS path,
        client_address AS client,
        user_agent_original AS agent,
        replace(regexp_extract(url_query, '(?:^|&)(?:q|query|s|search|keyword)=([^&]+)', 1), '+', ' ') AS raw,
        count(*) AS searches
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR coalesce(client_address, '') <> $exclude_client)
      AND url_query IS NOT NULL
    GROUP BY 1, 2, 3, 4
),
terms AS (
    SELECT
        lower(trim(CASE
            WHEN regexp_matches(
                raw,
                '^(?:[^%]|%[2-7][0-9A-Fa-f]|%(?:[Cc][2-9A-Fa-f]|[Dd][0-9A-Fa-f])%[89ABab][0-9A-Fa-f]|%[Ee][1-9ABCEFabcef]%[89ABab][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]|%[Ff][1-3]%[89ABab][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]%[89ABab][0-9A-Fa-f])*$'
            ) THEN url_decode(raw)
            ELSE raw
        END)) AS term,
        path,
        client,
        agent,
        searches
    FROM parameters
    WHERE raw <> ''
),
searchers AS (
    SELECT term, client, agent, sum(searches) AS searches, min(path) AS path
    FROM terms
    GROUP BY 1, 2, 3
)
SELECT term, sum(searches) AS searches, count(client) AS visitors, min(path) AS example_path
FROM searchers
WHERE term <> ''
GROUP BY term
ORDER BY searches DESC, term
LIMIT $limit
