/*
title = "Traffic by weekday and hour"
description = """
Requests by the day of the week and the hour of the day (UTC) that they came in. Hours without requests are left out. A
visitor is a client address with a user agent on a day (UTC), as GoAccess counts them.
"""
window = "28d"
uses = ["web_requests"]
chart = { kind = "heatmap", x = "hour", y = "requests", by = "weekday" }

[columns]
weekday = "1 is Monday, 7 is Sunday"
hour = "0 to 23"
requests = "requests"
visitors = "visitors"
*/
WITH visits AS (
    SELECT
        weekday,
        hour_of_day AS hour,
        client_address,
        count(*) AS requests
    FROM web_requests
    GROUP BY weekday, hour_of_day, day, client_address, user_agent_original
)
SELECT weekday, hour, sum(requests) AS requests, count(client_address) AS visitors
FROM visits
GROUP BY weekday, hour
ORDER BY weekday, hour
