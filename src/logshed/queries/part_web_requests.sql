/*
description = """
Requests, each with the day, hour and weekday that it came in (as quarters has them): records with a status code, but for
those of bots and clients that are left out.
"""
uses = ["quarters"]
inline = true

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
*/
SELECT *
FROM logs
JOIN quarters ON epoch_us(timestamp) // 900000000 = quarter
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
  AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
  AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
