/*
title = "Abandoned carts"
description = """
Sessions with a cart that no purchase followed, by the day (UTC) of their first step cart. The value is the last that a
step of the session before a purchase has; where no step has one it is not known. A visitor is a session id, or where
there is none a client address with a user agent; a session of theirs ends where no request or event follows for 30
minutes (gap).
"""
window = "30d"
uses = ["shop_records", "shop_visits", "shop_list"]
chart = { kind = "bar", x = "day", y = "percent_abandoned" }

[columns]
day = "the day"
carts = "sessions with a cart"
abandoned = "those without a purchase after it"
percent_abandoned = "their share"
value_abandoned = "value of the abandoned carts, as far as it is known"
known = "abandoned carts whose value is known"
*/
WITH steps AS (
    SELECT visitor, session, timestamp, number, value, step
    FROM shop_visits
    JOIN shop_list ON shop_list.shop = shop_visits.shop AND shop_list.place = shop_visits.place
),
carts AS (
    SELECT
        min(timestamp) FILTER (WHERE step = 'cart') AS first_cart,
        min(number) FILTER (WHERE step = 'cart') AS cart_number,
        max(number) FILTER (WHERE step = 'purchase') AS purchase_number,
        arg_max(value, number) FILTER (WHERE value IS NOT NULL AND step <> 'purchase') AS value
    FROM steps
    GROUP BY visitor, session
),
told AS (
    SELECT date_trunc('day', first_cart) AS day, value, coalesce(purchase_number < cart_number, true) AS abandoned
    FROM carts
    WHERE first_cart IS NOT NULL
)
SELECT
    day,
    count(*) AS carts,
    count(*) FILTER (WHERE abandoned) AS abandoned,
    floor(count(*) FILTER (WHERE abandoned) * 10000.0 / count(*) + 0.5) / 100 AS percent_abandoned,
    floor(coalesce(sum(value) FILTER (WHERE abandoned), 0.0) * 100 + 0.5) / 100 AS value_abandoned,
    count(value) FILTER (WHERE abandoned) AS known
FROM told
GROUP BY day
ORDER BY day
