/*
uses = ["errors"]
description = """
What errors say, once a text: the first line of the exception's message, else of the message, and what it has in common
with others (message): UUIDs, hexadecimal numbers, quoted texts and numbers are replaced by <uuid>, <hex>, <text> and <n>.
"""
*/
SELECT
    text,
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    text,
                    '[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}', '<uuid>', 'g'
                ),
                '0x[0-9A-Fa-f]+', '<hex>', 'g'
            ),
            '"[^"]*"', '<text>', 'g'
        ),
        '[0-9]+', '<n>', 'g'
    ) AS message
FROM (SELECT DISTINCT text FROM errors)
