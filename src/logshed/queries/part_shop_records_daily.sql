/*
description = """
Requests and events for each kind of shop, each with the place of the step to an order that it is there. A visitor is a
session id, or where there is none a client address with a user agent, on a day (UTC) in a collection.
"""
as = "shop_records"
inline = true
*/
SELECT
    CASE
        WHEN session_id IS NOT NULL OR client_address IS NOT NULL THEN hash(
            coalesce(session_id, ''),
            CASE WHEN session_id IS NULL THEN client_address ELSE '' END,
            CASE WHEN session_id IS NULL THEN coalesce(user_agent_original, '') ELSE '' END,
            session_id IS NULL AND user_agent_original IS NULL,
            shop,
            collection,
            date_trunc('day', timestamp)
        )
    END AS visitor,
    shop,
    collection,
    timestamp,
    source,
    "offset",
    item,
    place
FROM (
    SELECT *, {{place_of}} AS place
    FROM logs
    CROSS JOIN (SELECT DISTINCT shop FROM ({{steps}}) AS steps) AS shops
    WHERE timestamp >= $since
      AND timestamp < $until
      AND (http_response_status_code IS NOT NULL OR {{event}} IS NOT NULL)
) AS told
