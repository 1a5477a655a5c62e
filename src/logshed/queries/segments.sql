/*
title = "Segments of visitors"
description = """
Sessions that took a step to an order, by who they were: new or returning visitors, countries, devices, sources. A
visitor returns with the second session of the window; earlier visits are not looked at. The device is read from the
user agent of the session's first record; the source is its utm_source, else the site that it came from, else direct. A
visitor is a session id, or where there is none a client address with a user agent.
"""
window = "30d"
uses = ["shop_records", "shop_sales"]
chart = { kind = "bar", x = "value", y = "conversion", by = "what" }

[columns]
what = "visitor, country, device or source"
value = "which one"
sessions = "sessions with a step to an order"
conversions = "those with a purchase"
conversion = "their share in percent"
orders = "orders"
revenue = "value of the orders, as far as it is known"

[parameters]
site = { kind = "string", default = "", meaning = "the host of the shop itself: who comes from there is direct" }
limit = { kind = "integer", default = 100, meaning = "rows to show" }
*/
WITH told AS (
    SELECT
        CASE WHEN session > 0 THEN 'returning' ELSE 'new' END AS visitor,
        coalesce(country, 'unknown') AS country,
        device,
        CASE WHEN origin IN ('', lower($site)) THEN 'direct' ELSE origin END AS source,
        orders,
        revenue
    FROM shop_sales
),
kinds AS (
    SELECT 'visitor' AS what
    UNION ALL SELECT 'country' AS what
    UNION ALL SELECT 'device' AS what
    UNION ALL SELECT 'source' AS what
),
long AS (
    SELECT
        what,
        CASE what WHEN 'visitor' THEN visitor WHEN 'country' THEN country WHEN 'device' THEN device ELSE source END
            AS value,
        orders,
        revenue
    FROM told
    CROSS JOIN kinds
)
SELECT
    what,
    value,
    count(*) AS sessions,
    count(*) FILTER (WHERE orders > 0) AS conversions,
    floor(count(*) FILTER (WHERE orders > 0) * 10000.0 / count(*) + 0.5) / 100 AS conversion,
    CAST(sum(orders) AS BIGINT) AS orders,
    floor(sum(revenue) * 100 + 0.5) / 100 AS revenue
FROM long
GROUP BY what, value
ORDER BY what, sessions DESC, value
LIMIT $limit
