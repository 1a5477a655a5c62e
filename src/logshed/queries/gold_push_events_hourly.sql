/*
title = "Pushes by hour"
description = """
Pushes to repositories: GitHub's PushEvent, pushes that webhooks tell of, and git.push of audit logs.
"""
uses = ["repository_events"]

[columns]
timestamp = "timestamptz: beginning of the hour"
collection = "string: the set of logs"
repository = "string: the repository; null where the event names none"
pushes = "long: pushes"
commits = "long: commits in them, of those that say how many"
users = "long: different users"
branches = "long: different branches and tags"
*/
SELECT
    date_trunc('hour', timestamp) AS timestamp,
    collection,
    repository,
    count(*) AS pushes,
    CAST(coalesce(sum(commits), 0) AS BIGINT) AS commits,
    count(DISTINCT user_id) AS users,
    count(DISTINCT ref) AS branches
FROM repository_events
WHERE event_name IN ('PushEvent', 'push', 'git.push')
GROUP BY date_trunc('hour', timestamp), collection, repository
