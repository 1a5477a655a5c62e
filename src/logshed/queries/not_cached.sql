/*
title = "Not answered from the cache"
description = """
Paths that a cache in front did not answer, by the bytes that came from behind it. The answer of the cache is what
nginx, Cloudflare, CloudFront, Fastly, Google, Squid or Varnish logged; it counts as cached where it holds the word hit
or is true. Requests without such a field are left out.
"""
window = "7d"
chart = { kind = "bar", x = "path", y = "not_cached" }

[columns]
path = "path of the request"
requests = "requests with an answer of the cache"
not_cached = "those that the cache did not answer"
percent = "their share"
bytes = "bytes of the responses that were not cached"

[parameters]
exclude_bots = { kind = "boolean", default = false, meaning = "leave out user agents that are bots" }
exclude_client = { kind = "addresses", meaning = "client addresses and networks to leave out; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH requests AS (
    SELECT
        url_path AS path,
        http_response_body_size AS size,
        lower(coalesce(
            attributes['nginx.upstream.cache_status'],
            attributes['cloudflare.cache_status'],
            attributes['aws.cloudfront.result_type'],
            attributes['fastly.response_state'],
            attributes['gcp.cache_hit'],
            attributes['squid.result'],
            attributes['varnish.handling']
        )) AS answer
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND http_response_status_code IS NOT NULL
      AND NOT ($exclude_bots AND coalesce(user_agent_is_bot, false))
      AND ($exclude_client IS NULL OR NOT regexp_matches(coalesce(client_address, ''), $exclude_client))
),
answers AS (
    SELECT path, size, NOT (answer LIKE '%hit%' OR answer = 'true') AS missed
    FROM requests
    WHERE answer IS NOT NULL
)
SELECT
    path,
    count(*) AS requests,
    count(*) FILTER (WHERE missed) AS not_cached,
    floor(count(*) FILTER (WHERE missed) * 10000.0 / count(*) + 0.5) / 100 AS percent,
    coalesce(sum(size) FILTER (WHERE missed), 0) AS bytes
FROM answers
GROUP BY path
ORDER BY bytes DESC, not_cached DESC, path
LIMIT $limit
