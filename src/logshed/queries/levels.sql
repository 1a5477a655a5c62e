/*
title = "Levels"
description = """
How many records each level has, and from how many loggers. Records without a level, such as those of access logs, are left out.
"""
window = "7d"
chart = { kind = "pie", x = "level", y = "log_count" }

[columns]
level = "the severity as the log wrote it"
log_count = "records"
unique_loggers = "different loggers among them"
*/
SELECT
    severity_text AS level,
    count(*) AS log_count,
    count(DISTINCT scope_name) AS unique_loggers
FROM logs
WHERE timestamp >= $since
  AND timestamp < $until
  AND ($collection IS NULL OR collection = $collection)
  AND severity_text IS NOT NULL
GROUP BY 1
ORDER BY log_count DESC, level
