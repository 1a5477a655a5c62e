/*
title = "Suspicious clients"
description = """
Client addresses that behave as attackers do. Points: 10 a finding (50 at most), 5 a request for a path that scanners
look for (/.env, /.git/, /.aws/, /wp-login.php, /xmlrpc.php, /phpmyadmin, /cgi-bin/, /vendor/phpunit, /etc/passwd,
/actuator/, /boaform, /HNAP1, /shell, /setup.php, ../; 50 at most), 2 a refused request (401 or 403; 40 at most), 1 a
different path that was not there (404; 30 at most), and 30 for being on a threat list. Clients without a point are left
out.
"""
window = "7d"
chart = { kind = "bar", x = "client", y = "points" }

[columns]
client = "address of the client"
points = "the sum of the points"
findings = "findings about it"
probes = "requests for paths that scanners look for"
refused = "requests answered with 401 or 403"
missing_paths = "different paths answered with 404"
threat_list = "threat list that names it; null where none does"
country = "country that it is in, two letters"
requests = "all its requests"
first_seen = "its first request; null without one"
last_seen = "its last request; null without one"

[parameters]
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH paths AS (
    SELECT
        client_address AS client,
        url_path AS path,
        count(*) AS requests,
        count(*) FILTER (WHERE http_response_status_code IN (401, 403)) AS refused,
        count(*) FILTER (WHERE http_response_status_code = 404) AS missing,
        max(client_threat_list) AS threat_list,
        max(client_geo_country_iso_code) AS country,
        min(timestamp) AS first_seen,
        max(timestamp) AS last_seen
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND client_address IS NOT NULL
      AND (http_response_status_code IS NOT NULL OR client_threat_list IS NOT NULL)
    GROUP BY 1, 2
),
clients AS (
    SELECT
        client,
        sum(requests) AS requests,
        coalesce(sum(CASE
            WHEN regexp_matches(
                path,
                '(?i)(?:/\.env|/\.git/|/\.aws/|/wp-login\.php|/xmlrpc\.php|/phpmyadmin|/cgi-bin/|/vendor/phpunit|/etc/passwd|/actuator/|/boaform|/hnap1|\.\./|%2e%2e|/shell|/setup\.php)'
            ) THEN requests
        END), 0) AS probes,
        sum(refused) AS refused,
        count(path) FILTER (WHERE missing > 0) AS missing_paths,
        max(threat_list) AS threat_list,
        max(country) AS country,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen
    FROM paths
    GROUP BY client
),
found AS (
    SELECT client_address AS found_client, count(*) AS findings
    FROM findings
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND client_address IS NOT NULL
    GROUP BY 1
),
both_sides AS (
    SELECT
        coalesce(client, found_client) AS client,
        coalesce(findings, 0) AS findings,
        coalesce(probes, 0) AS probes,
        coalesce(refused, 0) AS refused,
        coalesce(missing_paths, 0) AS missing_paths,
        threat_list,
        country,
        coalesce(requests, 0) AS requests,
        first_seen,
        last_seen
    FROM clients
    FULL JOIN found ON client = found_client
),
pointed AS (
    SELECT
        *,
        least(findings * 10, 50) + least(probes * 5, 50) + least(refused * 2, 40) + least(missing_paths, 30)
        + CASE WHEN threat_list IS NOT NULL THEN 30 ELSE 0 END AS points
    FROM both_sides
)
SELECT
    client, points, findings, probes, refused, missing_paths, threat_list, country, requests, first_seen, last_seen
FROM pointed
WHERE points > 0
ORDER BY points DESC, requests DESC, client
LIMIT $limit
