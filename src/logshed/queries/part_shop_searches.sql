/*
description = """
Requests that search, by path, visitor and term as sent, with those whose number of results is known, and is 0.
"""

[parameters]
shop = { kind = "string", default = "any", meaning = "kind of shop: a file of shops/, or any" }
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
*/
SELECT path, client, agent, raw, count(*) AS searches, count(hits) AS known, count(*) FILTER (WHERE hits = 0) AS zero
FROM (
    SELECT
        url_path AS path,
        client_address AS client,
        user_agent_original AS agent,
        replace({{term}}, '+', ' ') AS raw,
        TRY_CAST({{hits}} AS DOUBLE) AS hits
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
      AND url_query IS NOT NULL
) AS sent
GROUP BY path, client, agent, raw
