/*
title = "Traffic by weekday and hour"
description = """
Requests by the day of the week and the hour of the day (UTC) that they came in. Hours without requests are left out. A
visitor is a client address with a user agent on a day (UTC), as GoAccess counts them.
"""
window = "28d"
uses = ["quarters"]
chart = { kind = "heatmap", x = "hour", y = "requests", by = "weekday" }

[columns]
weekday = "1 is Monday, 7 is Sunday"
hour = "0 to 23"
requests = "requests"
visitors = "visitors"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
*/
WITH visits AS (
    SELECT
        weekday,
        hour_of_day AS hour,
        client_address,
        count(*) AS requests
    FROM logs
    JOIN quarters ON epoch_us(timestamp) // 900000000 = quarter
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
    GROUP BY weekday, hour_of_day, day, client_address, user_agent_original
)
SELECT weekday, hour, sum(requests) AS requests, count(client_address) AS visitors
FROM visits
GROUP BY weekday, hour
ORDER BY weekday, hour
