/*
title = "Durations by hour, to be added up"
description = """
How many requests took how long, in buckets whose bounds grow by 2 % (DDSketch: Masson, Rim, Lee 2019): buckets of any
hours, services and templates may be added, and a percentile of the sum is within 1 % of the true one. The upper bound of
a bucket is pow(1.02, bucket) milliseconds; bucket -1000 holds durations of 0.
Durations that are no number are left out.
"""

[columns]
timestamp = "timestamptz: beginning of the hour"
collection = "string: the set of logs"
service_name = "string: service"
url_template = "string: path with its variable parts named; the path where there is no template"
bucket = "int: the bucket's number"
requests = "long: requests in it"
*/
SELECT
    date_trunc('hour', timestamp) AS timestamp,
    collection,
    service_name,
    coalesce(url_template, url_path) AS url_template,
    CAST(CASE WHEN duration_ms > 0.0000001 THEN ceil(ln(duration_ms) / ln(1.02)) ELSE -1000 END AS INTEGER) AS bucket,
    count(*) AS requests
FROM logs
WHERE timestamp >= $since AND timestamp < $until AND duration_ms < 1e15 -- neither NaN, which is above all, nor infinite
GROUP BY ALL
