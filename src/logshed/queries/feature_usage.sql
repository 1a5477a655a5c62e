/*
title = "Use of features"
description = """
How often the features that the file of the shop names are used, and by how many of all visitors. A visitor is a
session id, or where there is none a client address with a user agent. A record is a use of the first feature that it
matches.
"""
window = "30d"
uses = ["shop_records"]
chart = { kind = "bar", x = "feature", y = "users" }

[columns]
feature = "the feature"
uses = "requests and events"
users = "visitors who used it"
share = "their share of all visitors in percent"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
WITH visitors AS (
    SELECT feature, visitor, count(*) AS uses
    FROM shop_records
    GROUP BY feature, visitor
),
everybody AS (
    SELECT count(DISTINCT visitor) AS visitors
    FROM visitors
)
SELECT
    feature,
    CAST(sum(uses) AS BIGINT) AS uses,
    count(visitor) AS users,
    floor(count(visitor) * 10000.0 / nullif(max(everybody.visitors), 0) + 0.5) / 100 AS share
FROM visitors
CROSS JOIN everybody
WHERE feature IS NOT NULL
GROUP BY feature
ORDER BY uses DESC, feature
LIMIT $limit
