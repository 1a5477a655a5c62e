/*
title = "Open incidents in all"
description = """
Incidents that wait for somebody, neither closed nor muted, in one row: how many, and how grave the worst is.
"""
window = "all"

[columns]
open_incidents = "open incidents"
grave = "those of the threat levels high and critical"
worst_score = "the highest threat score, 0 to 100"
newest = "when the newest of them began"
*/
SELECT
    count(*) AS open_incidents,
    count(*) FILTER (WHERE threat_level IN ('high', 'critical')) AS grave,
    max(threat_score) AS worst_score,
    max(timestamp) AS newest
FROM incidents
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND status = 'open'
HAVING count(*) > 0
ORDER BY open_incidents
