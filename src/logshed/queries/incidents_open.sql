/*
title = "Open incidents"
description = """
Incidents that wait for somebody: neither closed nor muted. Worst first.
"""
window = "all"
chart = { kind = "bar", x = "actor", y = "threat_score" }
keys = ["incident_id"]

[columns]
incident_id = "name of the incident"
actor_type = "column that names the actor"
actor = "who did it, or what it happened to"
threat_level = "low, medium, high or critical"
threat_score = "0 to 100: all its findings together"
findings = "findings"
events = "records that they are made of"
rules = "names of the rules, separated by blanks"
began = "the first of its records"
last_seen = "the last of its records"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
SELECT
    incident_id,
    actor_type,
    actor,
    threat_level,
    threat_score,
    finding_count AS findings,
    event_count AS events,
    rules,
    timestamp AS began,
    end_timestamp AS last_seen
FROM incidents
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND status = 'open'
ORDER BY threat_score DESC, began DESC, incident_id
LIMIT $limit
