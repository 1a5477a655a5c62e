/*
description = "What a letter behind a value means, by the unit that the value is told in: 12 MiB, 250m of a core."
*/
SELECT 'bytes' AS unit, 'kb' AS suffix, CAST(1000 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'k' AS suffix, CAST(1000 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'kib' AS suffix, CAST(1024 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'ki' AS suffix, CAST(1024 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'mb' AS suffix, CAST(1000000 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'm' AS suffix, CAST(1000000 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'mib' AS suffix, CAST(1048576 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'mi' AS suffix, CAST(1048576 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'gb' AS suffix, CAST(1000000000 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'g' AS suffix, CAST(1000000000 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'gib' AS suffix, CAST(1073741824 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'gi' AS suffix, CAST(1073741824 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'tb' AS suffix, CAST(1000000000000 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'tib' AS suffix, CAST(1099511627776 AS DOUBLE) AS scale
UNION ALL
SELECT 'bytes' AS unit, 'ti' AS suffix, CAST(1099511627776 AS DOUBLE) AS scale
UNION ALL
SELECT 'cores' AS unit, 'm' AS suffix, CAST(0.001 AS DOUBLE) AS scale
UNION ALL
SELECT 'cores' AS unit, 'u' AS suffix, CAST(0.000001 AS DOUBLE) AS scale
UNION ALL
SELECT 'cores' AS unit, 'n' AS suffix, CAST(0.000000001 AS DOUBLE) AS scale
