from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from logshed.errors import QueryError
from logshed.queries import load
from logshed.queries.model import parse as question
from logshed.queries.parts import assembled, parse

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "title = 'T'\ndescription = 'D'\nwindow = '7d'\nuses = ['four']\n[columns]\na = 'one'\n"
TWO = parse("two", "/* description = 'Two.' */ SELECT 2 AS n;")
FOUR = parse(
    "four",
    """/* description = 'Four.'
    uses = ['two']
    parameters = { more = { kind = 'integer', default = 2, meaning = 'what is added' } } */
    SELECT n + $more AS n FROM two""",
)
PARTS = {"two": TWO, "four": FOUR}


@pytest.mark.parametrize(
    "own", ["WITH b AS (SELECT n + 1 AS a FROM four) SELECT a FROM b", "SELECT n + 1 AS a FROM four"]
)
def test_a_statement_has_the_parts_it_uses_in_front_each_after_what_it_uses(own: str) -> None:
    asked = question("q", f"/*\n{HEADER}*/\n{own}", PARTS)
    assert asked.sql.index("two AS (") < asked.sql.index("four AS (")
    assert duckdb.execute(asked.sql, {"more": 10}).fetchall() == [(13,)]


def test_the_parameters_of_a_part_are_the_questions_too() -> None:
    asked = question("q", f"/*\n{HEADER}*/\nSELECT n AS a FROM four", PARTS)
    assert asked.bind()["more"] == 2
    assert asked.bind({"more": "5"})["more"] == 5


def test_a_part_used_on_two_ways_stands_once() -> None:
    sql, _ = assembled("q", "SELECT 1", ["two", "four"], PARTS)
    assert sql.count("two AS (") == 1


def test_a_part_that_is_none_and_a_circle_are_told() -> None:
    with pytest.raises(
        QueryError, match="cannot load the question q: it uses the part 'four', which is none; take two"
    ):
        question("q", f"/*\n{HEADER}*/\nSELECT 1", {"two": TWO})
    circle = {
        "a": parse("a", "/* description = 'A.'\nuses = ['b'] */ SELECT 1"),
        "b": parse("b", "/* description = 'B.'\nuses = ['a'] */ SELECT 1"),
    }
    with pytest.raises(QueryError, match="use each other; break the circle"):
        assembled("the question q", "SELECT 1", ["a"], circle)


def test_a_users_part_serves_the_users_question(tmp_path: Path) -> None:
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "part_four.sql").write_text("/* description = 'Four.' */ SELECT 4 AS n")
    (folder / "mine.sql").write_text(f"/*\n{HEADER}*/\nSELECT n AS a FROM four")
    assert duckdb.execute(load([tmp_path])["mine"].sql).fetchall() == [(4,)]


def test_an_inline_part_is_computed_where_it_is_read() -> None:
    two = parse("two", "/* description = 'Two.'\ninline = true */ SELECT 2 AS n")
    sql, _ = assembled("q", "SELECT a.n + b.n FROM two AS a, two AS b", ["two"], {"two": two})
    assert "two AS NOT MATERIALIZED (" in sql
    assert duckdb.execute(sql).fetchall() == [(4,)]
