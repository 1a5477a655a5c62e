from __future__ import annotations

import pytest
from pyiceberg.expressions.parser import parse

from logshed.sql.filters import both, either, row_filter
from logshed.sql.tables import TableColumn

COLUMNS = {
    name: TableColumn(number, name, kind)
    for number, (name, kind) in enumerate(
        {
            "timestamp": "timestamptz",
            "path": "string",
            "status": "int",
            "size": "long",
            "ms": "double",
            "bot": "boolean",
            "attributes": "map",
        }.items()
    )
}

UNDERSTOOD = {
    "(status = 404)": "status = 404",
    "(status = -5)": "status = -5",
    "(404 <= status)": "status >= 404",
    "(status IN (1, 2))": "status in (1, 2)",
    "(path = 'it''s')": "path = 'it''s'",
    "((status >= 400) AND (status <= 499))": "status >= 400 and status <= 499",
    "((status = 4) OR (path IS NULL))": "((status = 4) or (path is null))",
    "(path IS NOT NULL)": "path is not null",
    "bot": "bot = true",
    "(NOT bot)": "bot = false",
    "optional: (status IN (7))": "status in (7)",
    "(size BETWEEN 4 AND 5)": "size >= 4 and size <= 5",
    "(timestamp >= '2024-01-05 00:00:00+02'::TIMESTAMP WITH TIME ZONE)": "timestamp >= '2024-01-04T22:00:00+00:00'",
    "(CAST(timestamp AS DATE) = '2024-01-05'::DATE)": (
        "timestamp >= '2024-01-05T00:00:00+00:00' and timestamp < '2024-01-06T00:00:00+00:00'"
    ),
    "(date_trunc('month', timezone('UTC', timestamp)) <= '2024-02-01 00:00:00'::TIMESTAMP)": (
        "timestamp < '2024-03-03T00:00:00+00:00'"
    ),
    "((status = 4) AND (path ~~ 'x%y'))": "status = 4",
}
NOT_UNDERSTOOD = [
    "",
    "(status = 404.0)",
    "(status != 'x')",
    "(ms > 2.5)",
    "((status = 4) OR (ms > 2.5))",
    "((status = 4) OR (path ~~ 'x%y'))",
    "(NOT (status = 4))",
    "(NOT (status IN (4, 5)))",
    "((status = 4) IS NOT DISTINCT FROM true)",
    "CASE  WHEN ((status = 4)) THEN (true) ELSE false END",
    "(COALESCE(status, 0) = 404)",
    "((status + 1) = 404)",
    "(unknown = 404)",
    "(path = 'back\\slash')",
    "(map_extract_value(attributes, 'a') = 'b')",
    "(timestamp > 'infinity'::TIMESTAMP WITH TIME ZONE)",
    "(CAST(timezone('Europe/Berlin', timestamp) AS DATE) = '2024-01-05'::DATE)",
    "(CAST(timestamp AS DATE) != '2024-01-05'::DATE)",
    "optional: Dynamic Filter (status)",
    "(status = 404",
    "status = 404)",
    "(status = 'open",
    "(path = 'x\n(status = 404)\ny')",
]


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD.items())
def test_what_the_optimizer_says_becomes_a_filter_that_pyiceberg_reads(text: str, expected: str) -> None:
    assert row_filter([text], COLUMNS) == expected
    parse(expected)


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_what_is_not_surely_understood_filters_nothing(text: str) -> None:
    assert row_filter([text], COLUMNS) is None


def test_lines_of_a_text_hold_together() -> None:
    assert row_filter(["(status = 4)\n(size = 5)", "bot"], COLUMNS) == "bot = true and size = 5 and status = 4"


def test_a_long_list_becomes_its_range() -> None:
    values = ", ".join(map(str, range(300, 0, -1)))
    assert row_filter([f"(status IN ({values}))"], COLUMNS) == "status >= 1 and status <= 300"


def test_a_scan_without_a_filter_needs_all_files() -> None:
    assert either(["status = 4", None]) is None
    assert either([]) is None
    assert either(["status = 4", "status = 5", "status = 4"]) == "(status = 4) or (status = 5)"


def test_two_looks_at_one_statement_add_up() -> None:
    assert both(None, "status = 4") == "status = 4"
    assert both("size = 5", "status = 4") == "(size = 5) and (status = 4)"
