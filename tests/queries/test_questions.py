from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from logshed.errors import QueryError, UsageError
from logshed.queries import load, question
from logshed.queries.model import parse
from logshed.queries.times import EARLIEST, LATEST

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 30, 10, 30, tzinfo=UTC)
HEADER = "title = 'T'\ndescription = 'D'\nwindow = '7d'\n[columns]\na = 'one'\n"
SQL = "SELECT 1 AS a"


@pytest.mark.parametrize("name", load())
def test_every_question_is_documented_and_scoped(name: str) -> None:
    found = load()[name]
    assert found.title
    assert found.description.endswith(".")
    assert all(f"${scope}" in found.sql for scope in ("since", "until", "collection"))
    assert "ORDER BY" in found.sql


def test_a_question_looks_back_over_its_window_unless_told_otherwise() -> None:
    asked = question("top_error_sources")
    assert asked.bind(now=NOW) == {
        "since": datetime(2026, 3, 23, 10, 30, tzinfo=UTC),
        "until": LATEST,
        "collection": None,
        "before": datetime(2026, 3, 16, 10, 30, tzinfo=UTC),
        "limit": 10,
    }
    bound = asked.bind({"limit": "3"}, now=NOW, since="2015-05-17", until=NOW, collection="web")
    begin = datetime(2015, 5, 17, tzinfo=UTC)
    before = begin - (NOW - begin)
    assert bound == {"since": begin, "until": NOW, "collection": "web", "before": before, "limit": 3}


def test_the_time_before_a_window_is_as_long_as_it_is_and_begins_in_1970_at_the_earliest() -> None:
    asked = question("error_groups")
    assert asked.bind(now=NOW, since="6h", until="2h")["before"] == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert asked.bind(now=NOW, since="all")["before"] == EARLIEST
    assert asked.bind(now=NOW, since="1971-01-01")["before"] == EARLIEST
    assert asked.bind(now=NOW, since="2h", until="6h")["before"] == datetime(2026, 3, 30, 8, 30, tzinfo=UTC)


def test_wrong_parameters_are_named() -> None:
    asked = question("top_error_sources")
    with pytest.raises(UsageError, match="it has no such parameter; it has limit"):
        asked.bind({"top": 3})
    with pytest.raises(UsageError, match="cannot set limit to 'ten': it is no integer"):
        asked.bind({"limit": "ten"})


def test_an_unknown_question_is_answered_with_the_nearest() -> None:
    with pytest.raises(QueryError, match="did you mean top_paths"):
        question("top_path")


def test_a_users_question_is_found_and_wins_over_ours(tmp_path: Path) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "levels.sql").write_text(f"/*\n{HEADER}*/\n{SQL};\n")
    found = load([tmp_path])["levels"]
    assert (found.title, found.sql, found.columns) == ("T", SQL, {"a": "one"})


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (SQL, "begins with no"),
        (f"/*\ntitle = \n*/\n{SQL}", "no TOML"),
        (f"/*\n{HEADER}*/\nSELECT $nope", r"uses \$nope"),
        (f"/*\ncolour = 1\n{HEADER}*/\n{SQL}", "unknown key 'colour'"),
        (f"/*\n{HEADER.replace('7d', 'soon')}*/\n{SQL}", "window is 'soon'"),
        (f"/*\n{HEADER.replace('[columns]', '[parameters]')}*/\n{SQL}", "columns is missing"),
        (f"/*\nchart = {{ kind = 'bar', x = 'a', y = 'b' }}\n{HEADER}*/\n{SQL}", "chart names a column"),
        (f"/*\n{HEADER}[parameters]\nn = {{ kind = 'integer', meaning = 'm' }}\n*/\n{SQL}", "parameters.n is not used"),
        (f"/*\n{HEADER}[parameters]\nsince = {{ kind = 'integer', meaning = 'm' }}\n*/\n{SQL}", "parameters.since"),
    ],
)
def test_a_wrong_header_is_named_with_its_key(text: str, cause: str) -> None:
    with pytest.raises(QueryError, match=f"cannot load the question q: .*{cause}"):
        parse("q", text)
