/*
title = "Events by day and kind"
description = """
How many events of each kind there were, how large their records are as text, and how many users and repositories took part.
"""

[columns]
timestamp = "timestamptz: beginning of the day, UTC"
collection = "string: the set of logs"
event_name = "string: kind of event"
events = "long: events"
size_mean = "double: mean length of the record's fields, in characters"
size_max = "long: longest of them"
users = "long: different users"
repositories = "long: different repositories (attribute github.repo.name, repository.full_name, repo.name or repo)"
*/
SELECT
    date_trunc('day', timestamp) AS timestamp,
    collection,
    event_name,
    count(*) AS events,
    avg(CAST(length(coalesce(array_to_string(map_values(attributes), ''), '')) AS DOUBLE)) AS size_mean,
    CAST(max(length(coalesce(array_to_string(map_values(attributes), ''), ''))) AS BIGINT) AS size_max,
    count(DISTINCT user_id) AS users,
    count(
        DISTINCT coalesce(
            attributes['github.repo.name'],
            attributes['repository.full_name'],
            attributes['repo.name'],
            attributes['repo']
        )
    ) AS repositories
FROM logs
WHERE timestamp >= $since AND timestamp < $until AND event_name IS NOT NULL
GROUP BY date_trunc('day', timestamp), collection, event_name
