/*
description = """
Events of repositories, whatever wrote them (GitHub events, webhooks, audit logs): the repository, what was done (action),
the branch or tag (ref), how many commits, and the pull request's number and whether it was merged. A webhook's push has
no name of its own; it is told by its head commit.
"""
*/
SELECT
    timestamp,
    collection,
    user_id,
    coalesce(event_name, CASE WHEN attributes['head_commit.id'] IS NOT NULL THEN 'push' END) AS event_name,
    coalesce(attributes['github.action'], event_name) AS action,
    coalesce(
        attributes['github.repo.name'], attributes['repository.full_name'], attributes['repo.name'], attributes['repo']
    ) AS repository,
    attributes['github.ref'] AS ref,
    TRY_CAST(attributes['github.payload_size'] AS BIGINT) AS commits,
    coalesce(attributes['payload.pull_request.number'], attributes['payload.number'], attributes['pull_request.number'])
        AS pull_request,
    coalesce(attributes['payload.pull_request.merged'], attributes['pull_request.merged']) = 'true' AS merged
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND (event_name IS NOT NULL OR attributes['head_commit.id'] IS NOT NULL)
