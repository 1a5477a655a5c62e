/*
description = """
Requests of visitors. A visitor is a client address with a user agent, told by a hash of 64 bits: of two million
visitors, two have the same one once in ten million times. A page is a request answered below 400 whose path does not
end in the extension of a static file. Requests without a client address are left out.
"""
inline = true

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
*/
SELECT
    hash(client_address, coalesce(user_agent_original, ''), user_agent_original IS NULL) AS visitor,
    client_address AS client,
    user_agent_original AS agent,
    timestamp,
    source,
    "offset",
    item,
    url_path AS path,
    coalesce(http_response_body_size, 0) AS size,
    user_agent_is_bot AS bot,
    coalesce(
        http_response_status_code < 400
        AND NOT regexp_matches(
            url_path,
            '(?i)[.](?:css|m?js|map|png|jpe?g|gif|svg|webp|avif|ico|bmp|woff2?|[to]tf|eot|mp[34]|webm|ogg|wasm)$'
        ),
        false
    ) AS is_page
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
  AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
  AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
  AND client_address IS NOT NULL
