/*
title = "Findings by rule"
description = """
What rules and detectors found, by rule, with the actors behind it.
"""
window = "7d"
chart = { kind = "bar", x = "rule", y = "findings" }

[columns]
rule = "name of the rule"
title = "what it finds"
level = "its level, informational to critical; the highest where versions differ"
technique = "MITRE ATT&CK techniques; null where the rule names none"
findings = "findings"
actors = "different actors"
events = "records that the findings are made of"
max_score = "the highest score, 0 to 100"
first_seen = "when the first began"
last_seen = "when the last ended"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
WITH ranked AS (
    SELECT
        *,
        CASE level
            WHEN 'critical' THEN 5
            WHEN 'high' THEN 4
            WHEN 'medium' THEN 3
            WHEN 'low' THEN 2
            ELSE 1
        END AS rank
    FROM findings
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
)
SELECT
    rule_name AS rule,
    max(rule_title) AS title,
    CASE max(rank)
        WHEN 5 THEN 'critical'
        WHEN 4 THEN 'high'
        WHEN 3 THEN 'medium'
        WHEN 2 THEN 'low'
        ELSE 'informational'
    END AS level,
    max(technique) AS technique,
    count(*) AS findings,
    count(DISTINCT actor) AS actors,
    sum(event_count) AS events,
    max(score) AS max_score,
    min(timestamp) AS first_seen,
    max(end_timestamp) AS last_seen
FROM ranked
GROUP BY rule_name
ORDER BY max(rank) DESC, findings DESC, rule
LIMIT $limit
