from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from tests.sql.test_sandbox import SEVERAL

from logshed import sql
from logshed.errors import QueryError
from logshed.sql import shared
from logshed.sql.sight import Sight

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.pipeline.tables import LakeTables
    from logshed.sql import Engine


@pytest.fixture
def home(lake_root: Path) -> str:
    return str(lake_root / "warehouse")


@pytest.mark.parametrize("statement", SEVERAL)
def test_a_statement_gives_in_a_shared_database_what_it_gives_alone(
    tables: LakeTables, home: str, statement: str
) -> None:
    sight = Sight.of(["app", "x*"])
    values = {"n": 5, "day": "2024-01-05"}
    alone = sql.connect("duckdb", tables, sight=sight).query(statement, values)
    together = sql.connect("duckdb", tables, sight=sight, home=home).query(statement, values)
    assert (together.schema, together.files_read) == (alone.schema, alone.files_read)
    assert repr(together.rows()) == repr(alone.rows())


def test_statements_of_many_threads_and_zones_do_not_see_each_other(tables: LakeTables, home: str) -> None:
    def asked(number: int) -> list[tuple[object, ...]]:
        zone, sight = ("UTC", "Asia/Tokyo")[number % 2], (None, Sight.of(["web"]), Sight.of(["app"]))[number % 3]
        engine = sql.connect("duckdb", tables, timezone=zone, sight=sight, home=home)
        return engine.query(
            "SELECT collection, min(timestamp::date)::VARCHAR, count(*) FROM logs WHERE timestamp >= '2024-02-01' "
            "GROUP BY 1 ORDER BY 1"
        ).rows()

    expected = [asked(number) for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(asked, list(range(6)) * 4)) == expected * 4


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT now()",
        "SELECT * FROM iceberg.analytics.logs",
        "SHOW TABLES",
        "SELECT current_date",
        "FROM query('FROM logs')",
    ],
)
def test_what_needs_one_present_or_a_database_s_names_has_a_database_of_its_own(statement: str) -> None:
    assert not shared.suits(statement)


def test_a_mistake_is_told_as_elsewhere_and_no_other_file_is_read(
    tables: LakeTables, home: str, tmp_path: Path
) -> None:
    engine = sql.connect("duckdb", tables, home=home)
    with pytest.raises(QueryError, match='no column "url_pth"; did you mean "url_path"'):
        engine.query("SELECT url_pth FROM logs")
    frame = pa.table({"x": [1]})
    assert frame.num_rows == 1
    with pytest.raises(QueryError, match='no table "frame"'):
        engine.query("SELECT * FROM logs, frame")
    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(QueryError, match="Cannot access file"):
        engine.query(f"SELECT * FROM read_csv('{tmp_path}/x.csv')")


def test_files_that_lie_elsewhere_are_read_in_another_way(tables: LakeTables, tmp_path: Path) -> None:
    engine: Engine = sql.connect("duckdb", tables, home=str(tmp_path))
    assert engine.query("SELECT count(*) FROM logs").rows() == [(600,)]


def test_an_error_s_text_tells_no_value_where_not_all_may_be_seen(tables: LakeTables, home: str) -> None:
    statement = "SELECT CAST(body AS INTEGER) FROM logs WHERE body IS NOT NULL"
    with pytest.raises(QueryError, match=r"hello|Failed|naïve"):
        sql.connect("duckdb", tables).query(statement).rows()
    for options in ({}, {"home": home}):
        with pytest.raises(QueryError, match="which one is not told"):
            sql.connect("duckdb", tables, sight=Sight.of(["app"]), **options).query(statement).rows()
