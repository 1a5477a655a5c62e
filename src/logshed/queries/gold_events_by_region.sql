/*
title = "Events of clouds by region and day"
description = """
Calls and events by cloud, account, region and service, and how many of them failed.
"""

[columns]
timestamp = "timestamptz: beginning of the day, UTC"
collection = "string: the set of logs"
cloud_provider = "string: aws, gcp, azure ..."
cloud_account_id = "string: account or subscription"
cloud_region = "string: region"
service_name = "string: service"
events = "long: events"
failures = "long: events that failed"
users = "long: different users"
*/
SELECT
    date_trunc('day', timestamp) AS timestamp,
    collection,
    cloud_provider,
    cloud_account_id,
    cloud_region,
    service_name,
    count(*) AS events,
    count(*) FILTER (WHERE event_outcome = 'failure') AS failures,
    count(DISTINCT user_id) AS users
FROM logs
WHERE timestamp >= $since AND timestamp < $until AND (cloud_region IS NOT NULL OR cloud_provider IS NOT NULL)
GROUP BY date_trunc('day', timestamp), collection, cloud_provider, cloud_account_id, cloud_region, service_name
