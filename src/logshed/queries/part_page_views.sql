/*
description = """
Pages that visitors looked at, by visitor, session and place; a page that is loaded again at once counts once.
"""
uses = ["visits"]
*/
SELECT visitor, session, place, path
FROM (
    SELECT
        visitor,
        session,
        place,
        path,
        lag(path) OVER (PARTITION BY visitor, session ORDER BY place) AS previous
    FROM visits
    WHERE is_page
) AS pages
WHERE previous IS NULL OR previous <> path
