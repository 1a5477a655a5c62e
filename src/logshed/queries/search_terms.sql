/*
title = "Search terms"
description = """
What visitors searched for on the site: the query parameters that the file of the shop names (q, query, s, search and
keyword), decoded, in small letters. A visitor is a client address with a user agent. Text that is no UTF-8 once decoded
stays as it was sent. Whether a search found nothing is known where the log has the number of results, in an attribute
or a query parameter that the file of the shop names (hits, results, results_count ...).
"""
window = "7d"
uses = ["shop_searches"]
chart = { kind = "bar", x = "term", y = "searches" }

[columns]
term = "what was searched for"
searches = "requests with it"
visitors = "different clients with a user agent"
known = "searches whose number of results is known"
zero_percent = "share of those that found nothing; null where none is known"
example_path = "path of one of the requests"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH terms AS (
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
        searches,
        known,
        zero
    FROM shop_searches
    WHERE raw <> ''
),
searchers AS (
    SELECT term, client, agent, sum(searches) AS searches, sum(known) AS known, sum(zero) AS zero, min(path) AS path
    FROM terms
    GROUP BY 1, 2, 3
)
SELECT
    term,
    sum(searches) AS searches,
    count(client) AS visitors,
    sum(known) AS known,
    floor(sum(zero) * 10000.0 / nullif(sum(known), 0) + 0.5) / 100 AS zero_percent,
    min(path) AS example_path
FROM searchers
WHERE term <> ''
GROUP BY term
ORDER BY searches DESC, term
LIMIT $limit
