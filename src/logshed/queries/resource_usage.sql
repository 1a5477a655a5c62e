/*
title = "Use of resources"
description = """
How much of CPU, memory, disks, connections, pools, queues and threads was in use, by host and service: from fields of
records whose names are known (Metricbeat, OpenTelemetry, Micrometer and HikariCP, docker stats, Kubernetes, and names
that applications use; each a file in queries/resources, to which you may add your own). A value may have a unit behind
it, such as 12.5%, 120MiB or 250m; the 95th percentile is exact.
"""
window = "24h"
chart = { kind = "bar", x = "field", y = "p95", by = "host" }
keys = ["host", "service", "field"]
uses = ["resource_fields", "resource_scales"]

[columns]
resource = "cpu, memory, disk, connections, pool, queue, threads or load"
field = "name of the field"
host = "the host; null where the record names none"
service = "the service; null where the record names none"
unit = "what the figures are in"
samples = "values"
lowest = "the least of them"
mean = "their mean"
p95 = "95 of 100 were at most this high"
highest = "the greatest of them"
latest = "the newest of them; of several at one time the greatest"
last_seen = "when that was"

[parameters]
resource = { kind = "string", meaning = "only this resource, such as memory" }
service = { kind = "string", meaning = "only this service" }
limit = { kind = "integer", default = 100, meaning = "rows to show" }
*/
WITH named AS (
    SELECT timestamp, host_name, service_name, attributes, unnest(map_keys(attributes)) AS key_name
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
      AND ($service IS NULL OR service_name = $service)
),
texts AS (
    SELECT
        n.timestamp AS timestamp,
        n.host_name AS host,
        n.service_name AS service,
        f.resource AS resource,
        f.field AS field,
        f.unit AS unit,
        f.factor AS factor,
        n.attributes[n.key_name] AS text
    FROM named AS n
    INNER JOIN resource_fields AS f ON n.key_name = f.field
    WHERE $resource IS NULL OR f.resource = $resource
),
numbers AS (
    SELECT
        *,
        TRY_CAST(regexp_extract(text, '^ *(-?[0-9]+(?:[.][0-9]+)?(?:[eE][-+]?[0-9]+)?)', 1) AS DOUBLE) AS number,
        lower(regexp_extract(text, '^ *-?[0-9.]+ *([A-Za-z]*)', 1)) AS letters
    FROM texts
),
valued AS (
    SELECT
        p.timestamp AS timestamp,
        p.host AS host,
        p.service AS service,
        p.resource AS resource,
        p.field AS field,
        p.unit AS unit,
        p.factor * p.number * coalesce(s.scale, 1.0) AS value,
        max(p.timestamp) OVER (PARTITION BY p.host, p.service, p.field) AS newest
    FROM numbers AS p
    LEFT JOIN resource_scales AS s ON p.unit = s.unit AND p.letters = s.suffix
    WHERE p.number IS NOT NULL
)
SELECT
    resource,
    field,
    host,
    service,
    unit,
    count(*) AS samples,
    floor(min(value) * 1000 + 0.5) / 1000 AS lowest,
    floor(avg(value) * 1000 + 0.5) / 1000 AS mean,
    floor(quantile_cont(value, 0.95) * 1000 + 0.5) / 1000 AS p95,
    floor(max(value) * 1000 + 0.5) / 1000 AS highest,
    floor(max(value) FILTER (WHERE timestamp = newest) * 1000 + 0.5) / 1000 AS latest,
    max(newest) AS last_seen
FROM valued
GROUP BY resource, field, host, service, unit
ORDER BY resource, field, host, service
LIMIT $limit
