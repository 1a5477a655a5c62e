/*
title = "Static files"
description = """
Requests for static files: those whose path ends in such an extension (css, js, mjs, map, png, jpg, gif, svg, webp,
avif, ico, bmp, woff, ttf, otf, eot, mp3, mp4, webm, ogg, wasm). Not modified are those answered with 304, from the
cache of the client.
"""
window = "7d"
chart = { kind = "bar", x = "path", y = "requests" }

[columns]
path = "path of the file"
requests = "requests"
clients = "different client addresses"
not_modified = "requests answered with 304"
errors = "requests answered with status 400 or above"
bytes = "bytes of all responses"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
SELECT
    url_path AS path,
    count(*) AS requests,
    count(DISTINCT client_address) AS clients,
    count(*) FILTER (WHERE http_response_status_code = 304) AS not_modified,
    count(*) FILTER (WHERE http_response_status_code >= 400) AS errors,
    coalesce(sum(http_response_body_size), 0) AS bytes
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND http_response_status_code IS NOT NULL
  AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
  AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
  AND regexp_matches(
      url_path,
      '(?i)[.](?:css|m?js|map|png|jpe?g|gif|svg|webp|avif|ico|bmp|woff2?|[to]tf|eot|mp[34]|webm|ogg|wasm)$'
  )
GROUP BY url_path
ORDER BY requests DESC, path
LIMIT $limit
