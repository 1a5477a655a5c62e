/*
title = "Top referring sites"
description = """
The sites that requests came from: the host of the referring page, in small letters. Referrers that are no address on
the web are left out. A visitor is a client address with a user agent on a day (UTC), as GoAccess counts them.
"""
window = "7d"
uses = ["web_requests"]
chart = { kind = "bar", x = "site", y = "requests" }

[columns]
site = "host of the referring pages"
requests = "requests"
visitors = "visitors"
referrers = "different referring pages"
example_referrer = "one of them"

[parameters]
exclude_site = { kind = "string", meaning = "a site to leave out, such as your own; without it none is" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH visits AS (
    SELECT http_referrer, day, client_address, user_agent_original, count(*) AS requests
    FROM web_requests
    WHERE http_referrer IS NOT NULL
    GROUP BY http_referrer, day, client_address, user_agent_original
),
links AS (
    SELECT http_referrer, lower(regexp_extract(http_referrer, '^[A-Za-z]+://(?:[^/@]*@)?([^/:?#]+)', 1)) AS site
    FROM (SELECT DISTINCT http_referrer FROM visits) AS distinct_links
),
visitors AS (
    SELECT site, client_address, sum(requests) AS requests
    FROM visits
    JOIN links USING (http_referrer)
    GROUP BY site, day, client_address, user_agent_original
),
pages AS (
    SELECT site, count(*) AS referrers, min(http_referrer) AS example_referrer
    FROM links
    GROUP BY site
),
sites AS (
    SELECT site, sum(requests) AS requests, count(client_address) AS visitors
    FROM visitors
    GROUP BY site
)
SELECT sites.site AS site, requests, visitors, referrers, example_referrer
FROM sites
JOIN pages ON sites.site = pages.site
WHERE sites.site <> ''
  AND ($exclude_site IS NULL OR sites.site <> $exclude_site)
ORDER BY requests DESC, site
LIMIT $limit
