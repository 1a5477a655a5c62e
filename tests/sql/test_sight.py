from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sql.conftest import START, record, write_lake

from logshed import sql
from logshed.errors import QueryError
from logshed.sql.sight import Sight

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.pipeline.tables import LakeTables

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
NAMES = st.one_of(TEXTS, st.text("ab[]!-^\\&~|:.\n", max_size=6))
GLOBS = st.one_of(TEXTS, st.text("ab*?[]!-^\\&~|:.\n", max_size=8))


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(deadline=None, max_examples=150)
@given(scopes=st.lists(GLOBS, max_size=3), names=st.lists(NAMES, min_size=1, max_size=20))
def test_the_condition_is_what_a_token_s_globs_mean(
    connection: duckdb.DuckDBPyConnection, scopes: list[str], names: list[str]
) -> None:
    sight = Sight.of(scopes)
    condition = "true" if sight is None else sight.condition("name")
    found = connection.execute(f"SELECT {condition} FROM (SELECT unnest($names) AS name)", {"names": names}).fetchall()
    assert [row[0] for row in found] == [any(fnmatch.fnmatchcase(name, scope) for scope in scopes) for name in names]


def test_who_has_the_glob_of_all_or_is_asked_for_none_sees_all() -> None:
    assert Sight.of(None) is None
    assert Sight.of(["shop", "*"]) is None
    assert Sight.of([]) == Sight(())


@pytest.mark.parametrize(
    ("scopes", "rows", "files"),
    [
        (["web"], 2, 1),
        (["app-*"], 3, 2),
        (["web", "app-1"], 4, 2),
        (["?eb"], 2, 3),
        (["app-[2-9]"], 1, 2),
        (["we_"], 0, 0),
        (["none"], 0, 0),
        ([], 0, 0),
    ],
)
def test_files_in_which_there_is_nothing_to_see_are_not_read(
    collections: LakeTables, scopes: list[str], rows: int, files: int
) -> None:
    found = sql.connect("duckdb", collections, sight=Sight.of(scopes)).query("SELECT * FROM logs")
    assert (found.files_read, len(found)) == (files, rows)


@pytest.mark.parametrize("sandbox", [False, True])
def test_who_sees_nothing_is_answered_with_nothing_whatever_time_they_ask_for(
    collections: LakeTables, sandbox: bool
) -> None:
    statement = f"SELECT count(*) FROM logs WHERE timestamp >= TIMESTAMPTZ '{START.isoformat()}' AND collection = 'web'"
    engine = sql.connect("duckdb", collections, sight=Sight(()), sandbox=sandbox)
    assert engine.query(statement).rows() == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT DISTINCT collection FROM logs",
        "SELECT DISTINCT collection FROM logs WHERE collection IN ('app-1', 'web')",
        "SELECT collection FROM logs GROUP BY 1",
        "SELECT DISTINCT any_value(collection) FROM iceberg.analytics.logs AS a, logs GROUP BY collection",
        "SELECT DISTINCT collection FROM query_table('logs')",
        "SELECT DISTINCT collection FROM (FROM logs)",
    ],
)
def test_every_way_to_name_a_table_shows_the_same_rows(collections: LakeTables, statement: str) -> None:
    assert sql.connect("duckdb", collections, sight=Sight.of(["web"])).query(statement).rows() == [("web",)]


@pytest.mark.parametrize(
    "statement",
    ["SHOW TABLES", "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'", "SHOW ALL TABLES"],
)
def test_the_audit_trail_is_there_for_those_alone_who_see_all(collections: LakeTables, statement: str) -> None:
    limited = sql.connect("duckdb", collections, sight=Sight.of(["web"])).query(statement).arrow()
    whole = sql.connect("duckdb", collections).query(statement).arrow()
    assert "audit" not in str(limited)
    assert "incidents" in str(limited)
    assert "audit" in str(whole)


def test_a_table_that_is_not_to_be_seen_is_as_unknown_as_one_that_is_not_there(collections: LakeTables) -> None:
    engine = sql.connect("duckdb", collections, sight=Sight.of(["web"]))
    with pytest.raises(QueryError, match='no table "audit"'):
        engine.query("SELECT * FROM audit")
    with pytest.raises(QueryError, match='no table "audix"'):
        engine.query("SELECT * FROM audix")


def test_clickhouse_is_not_asked_by_those_who_see_some(collections: LakeTables) -> None:
    with pytest.raises(QueryError, match="use DuckDB"):
        sql.connect("clickhouse", collections, sight=Sight.of(["web"]))


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> LakeTables:
    """Five records of four collections in three files."""
    from logshed.lake.store import Store  # noqa: PLC0415 - as the lake's own fixtures
    from logshed.pipeline.tables import LakeTables  # noqa: PLC0415 - as above

    root: Path = tmp_path_factory.mktemp("sight") / "lake"
    names = ["web", "web", "app-1", "app-1", "app-2"]
    rows: list[dict[str, Any]] = [record(place, START, collection=name) for place, name in enumerate(names)]
    write_lake(root, rows, files=3)
    store = Store.open(root, create=False)
    return LakeTables(lambda: store)
