/*
title = "Pull requests by hour"
description = """
What was done to pull requests: GitHub's PullRequestEvent, what webhooks tell of them, and pull_request.* of audit logs.
"""
uses = ["repository_events"]

[columns]
timestamp = "timestamptz: beginning of the hour"
collection = "string: the set of logs"
repository = "string: the repository; null where the event names none"
action = "string: opened, closed, reopened, synchronize ... as the event says"
events = "long: events"
merged = "long: those that tell of a merged pull request"
pull_requests = "long: different pull requests"
users = "long: different users"
*/
SELECT
    date_trunc('hour', timestamp) AS timestamp,
    collection,
    repository,
    action,
    count(*) AS events,
    count(*) FILTER (WHERE merged) AS merged,
    count(DISTINCT pull_request) AS pull_requests,
    count(DISTINCT user_id) AS users
FROM repository_events
WHERE event_name IN ('PullRequestEvent', 'pull_request') OR event_name LIKE 'pull_request.%' OR pull_request IS NOT NULL
GROUP BY date_trunc('hour', timestamp), collection, repository, action
