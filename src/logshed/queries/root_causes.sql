/*
title = "Root causes of errors"
description = """
What errors have in common: values of columns that are over-represented among errors. An error is a record of severity
ERROR or above, or a request answered with status 500 or above. Looked at are service, host, endpoint (template of the
path, or the path), network of the client (its name, that of its autonomous system, or the first three parts of its IPv4
address), name of the user agent, logger and type of exception. Lift is the share of a value among errors over its share
among all records: 1 means that it has nothing to do with them. Most excess first: the errors beyond what the share of a
value lets expect. Significance is the excess over the standard deviation that the number of errors would have if they were
drawn from all records by chance (hypergeometric distribution).
"""
window = "24h"
chart = { kind = "bar", x = "value", y = "excess", by = "what" }

[columns]
what = "the column: service, host, endpoint, network, user agent, logger or exception"
value = "its value"
errors = "errors with it"
records = "records with it"
error_percent = "share of errors among its records"
share_of_errors = "percent of all errors that have it"
share_of_records = "percent of all records that have it"
lift = "the one over the other"
excess = "errors beyond those expected"
significance = "excess in standard deviations of what chance would give; 3 and more is hardly chance"

[parameters]
min_errors = { kind = "integer", default = 5, meaning = "leave out values with fewer errors" }
limit = { kind = "integer", default = 20, meaning = "rows to show" }
*/
WITH groups AS (
    SELECT
        service_name,
        host_name,
        coalesce(url_template, url_path) AS endpoint,
        coalesce(
            client_network,
            client_as_name,
            nullif(regexp_extract(client_address, '^([0-9]+[.][0-9]+[.][0-9]+)[.][0-9]+$', 1), '')
        ) AS network,
        user_agent_name,
        scope_name,
        exception_type,
        count(*) FILTER (WHERE severity_number >= 17 OR http_response_status_code >= 500) AS failed,
        count(*) AS records
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
),
whole AS (
    SELECT sum(failed) AS all_errors, sum(records) AS all_records
    FROM groups
),
named AS (
    SELECT 'service' AS what, service_name AS value, failed, records FROM groups
    UNION ALL
    SELECT 'host' AS what, host_name AS value, failed, records FROM groups
    UNION ALL
    SELECT 'endpoint' AS what, endpoint AS value, failed, records FROM groups
    UNION ALL
    SELECT 'network' AS what, network AS value, failed, records FROM groups
    UNION ALL
    SELECT 'user agent' AS what, user_agent_name AS value, failed, records FROM groups
    UNION ALL
    SELECT 'logger' AS what, scope_name AS value, failed, records FROM groups
    UNION ALL
    SELECT 'exception' AS what, exception_type AS value, failed, records FROM groups
),
values_seen AS (
    SELECT what, value, sum(failed) AS errors, sum(records) AS records
    FROM named
    WHERE value IS NOT NULL
    GROUP BY 1, 2
),
shares AS (
    SELECT
        what,
        value,
        errors,
        records,
        errors * 100.0 / records AS error_percent,
        errors * 100.0 / nullif(all_errors, 0) AS share_of_errors,
        records * 100.0 / all_records AS share_of_records,
        errors * 1.0 * all_records / nullif(all_errors * 1.0 * records, 0) AS lift,
        errors - all_errors * 1.0 * records / all_records AS excess,
        sqrt(
            records * 1.0 * all_errors / all_records * (all_records - all_errors) / all_records
            * (all_records - records) / nullif(all_records - 1, 0)
        ) AS deviation
    FROM values_seen
    CROSS JOIN whole
    WHERE errors >= $min_errors
)
SELECT
    what,
    value,
    errors,
    records,
    floor(error_percent * 100 + 0.5) / 100 AS error_percent,
    floor(share_of_errors * 100 + 0.5) / 100 AS share_of_errors,
    floor(share_of_records * 100 + 0.5) / 100 AS share_of_records,
    floor(lift * 100 + 0.5) / 100 AS lift,
    floor(excess * 10 + 0.5) / 10 AS excess,
    floor(excess / nullif(deviation, 0) * 10 + 0.5) / 10 AS significance
FROM shares
WHERE lift > 1
ORDER BY excess DESC, lift DESC, what, value
LIMIT $limit
