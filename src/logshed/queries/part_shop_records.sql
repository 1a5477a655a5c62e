/*
description = """
Requests and events, each with the place of the step to an order that it is. A visitor is a session id, or where there
is none a client address with a user agent, told by a hash of 64 bits; NULL where there is neither.
"""
inline = true

[parameters]
value = { kind = "string", meaning = "attribute or query parameter with the order's value; without it what the shop says" }
shop = { kind = "string", default = "any", meaning = "kind of shop: a file of shops/, or any" }
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
*/
SELECT
    CASE
        WHEN session_id IS NOT NULL OR client_address IS NOT NULL THEN hash(
            coalesce(session_id, ''),
            CASE WHEN session_id IS NULL THEN client_address ELSE '' END,
            CASE WHEN session_id IS NULL THEN coalesce(user_agent_original, '') ELSE '' END,
            session_id IS NULL AND user_agent_original IS NULL
        )
    END AS visitor,
    shop,
    collection,
    timestamp,
    source,
    "offset",
    item,
    place,
    feature,
    CASE
        WHEN regexp_matches(amount, '^-?[0-9]+(?:[.][0-9]+)?$') THEN TRY_CAST(amount AS DOUBLE)
        WHEN regexp_matches(amount, '^-?[0-9]{1,3}(?:,[0-9]{3})+(?:[.][0-9]+)?$')
            THEN TRY_CAST(replace(amount, ',', '') AS DOUBLE)
        WHEN regexp_matches(amount, '^-?[0-9]{1,3}(?:[.][0-9]{3})+,[0-9]+$')
            THEN TRY_CAST(replace(replace(amount, '.', ''), ',', '.') AS DOUBLE)
        WHEN regexp_matches(amount, '^-?[0-9]+,[0-9]+$') THEN TRY_CAST(replace(amount, ',', '.') AS DOUBLE)
    END AS value,
    CASE WHEN NOT regexp_matches(order_text, '^(?:[[]|%5B)[A-Z_]+(?:[]]|%5D)$') THEN order_text END AS order_id,
    country,
    device,
    CASE WHEN campaign <> '' THEN campaign ELSE site END AS origin
FROM (
    SELECT
        session_id,
        client_address,
        user_agent_original,
        $shop AS shop,
        collection,
        timestamp,
        source,
        "offset",
        item,
        {{place}} AS place,
        {{feature}} AS feature,
        regexp_extract(
            replace(replace(replace(
                CASE
                    WHEN $value IS NULL THEN {{value}}
                    ELSE coalesce(
                        attributes[coalesce($value, '')],
                        regexp_extract(url_query, concat('(?:^|&)\Q', coalesce($value, ''), '\E=([^&]+)'), 1)
                    )
                END,
                '%2C', ','), '%20', ' '), '+', ' '),
            '^(?:[A-Z]{3}|[$€£¥])? ?(-?[0-9][0-9.,]{0,17}) ?(?:[A-Z]{3}|[$€£¥])?$',
            1
        ) AS amount,
        {{order}} AS order_text,
        client_geo_country_iso_code AS country,
        CASE
            WHEN user_agent_is_bot THEN 'bot'
            WHEN regexp_matches(user_agent_original, 'iPad|Tablet') THEN 'tablet'
            WHEN regexp_matches(user_agent_original, 'Mobi|Android|iPhone') THEN 'mobile'
            WHEN regexp_matches(user_agent_original, 'Windows|Macintosh|Linux|X11|CrOS') THEN 'desktop'
            ELSE 'unknown'
        END AS device,
        coalesce(regexp_extract(url_query, '(?:^|&)utm_source=([A-Za-z0-9_.-]+)', 1), '') AS campaign,
        lower(coalesce(regexp_extract(http_referrer, '^[A-Za-z]+://(?:[^/?#@]*@)?([^/?#:]+)', 1), '')) AS site
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
      AND (http_response_status_code IS NOT NULL OR {{event}} IS NOT NULL)
) AS told
