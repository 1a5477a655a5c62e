"""The tables are plain Iceberg: every engine that runs here reads the same from them, file by file as they lie."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.oracle.lake import ASKED, TABLES, Asked, Rows, made

from logshed.lake.compact_plan import Sizes
from logshed.pipeline.maintain import Maintain
from logshed.settings import Settings

if TYPE_CHECKING:
    from tests.oracle.lake import Answer

    from logshed.api import Lake

SCRIPT = Path(__file__).parent.parent / "sql" / "ddl_on_chdb.py"
LATE = "timestamp >= '2026-11-01T00:00:00+00:00' and timestamp < '2026-11-02T00:00:00+00:00'"
OWN = {name: name for name in TABLES}
PRUNED = "SELECT sum(value) FROM system.events WHERE event LIKE 'Iceberg%PrunedFiles'"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Lake:
    folder = tmp_path_factory.mktemp("any_engine")
    return made(folder, examples, Settings.load(folder, environ={}))


@pytest.fixture(scope="module")
def rows(lake: Lake) -> Rows:
    """What PyIceberg reads."""
    return {short: lake._opened().load(name).scan().to_arrow().to_pylist() for short, name in TABLES.items()}


@pytest.fixture(scope="module")
def clickhouse(lake: Lake) -> list[Answer]:
    """What ClickHouse's engine says, which is given the tables' folders and nothing else."""
    pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")
    places = {short: stored.location.removeprefix("file://") for short, stored in lake.stored(list(TABLES)).items()}
    tables = {short: f"icebergLocal('{place}')" for short, place in places.items()}
    asked = [one.of("clickhouse", tables) for one in ASKED.values()]
    given = json.dumps({"statements": [], "asked": [PRUNED, asked[-1], PRUNED, *asked]})
    words = [sys.executable, str(SCRIPT)]
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False, cwd=lake.root)
    assert done.returncode == 0, done.stderr
    found: list[Answer] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("about", ASKED)
def test_pyiceberg_duckdb_and_clickhouse_read_the_same(
    about: str, lake: Lake, rows: Rows, clickhouse: list[Answer]
) -> None:
    asked: Asked = ASKED[about]
    expected = asked.slowly(rows)
    assert expected
    assert [list(row) for row in lake.query(asked.of("duckdb", OWN)).rows()] == expected
    assert [list(row) for row in lake.query(asked.of("duckdb", OWN), engine="clickhouse").rows()] == expected
    assert clickhouse[3 + list(ASKED).index(about)] == expected


def test_what_lies_in_another_month_is_not_opened_by_any_engine(lake: Lake, clickhouse: list[Answer]) -> None:
    logs = lake._opened().load(TABLES["logs"])
    every = [task.file.file_path for task in logs.scan().plan_files()]
    (wanted,) = logs.scan(row_filter=LATE).plan_files()
    assert len(every) > 2
    assert "timestamp_month=2026-11" in wanted.file.file_path
    late = lake.query("SELECT count(*) FROM logs WHERE timestamp >= '2026-11-01' AND timestamp < '2026-11-02'")
    assert late.files_read == 1
    assert late.rows() == [(wanted.file.record_count,)]
    ((before,),), ((after,),) = clickhouse[0], clickhouse[2]
    assert after - before >= len([path for path in every if "timestamp_month=2026-11" not in path])


def test_columns_are_told_apart_by_their_ids_not_by_their_names(lake: Lake, rows: Rows) -> None:
    (old,) = {tuple(schema.column_names) for schema in lake._opened().load(TABLES["logs"]).metadata.schemas[:1]}
    assert "log_iostream" in old
    assert {row["log_iostream"] for row in rows["logs"] if row["collection"] == "hosts"} == {None}
    assert {row["log_iostream"] for row in rows["logs"] if row["collection"] == "later"} == {"stderr"}
    assert all(row["hits"] for row in rows["traffic_hourly"])


def test_compaction_changes_no_answer(lake: Lake, rows: Rows) -> None:
    upkeep = Maintain(lake._opened(), lake.settings, ["compact"], sizes=Sizes(least=2)).run()
    assert [one.error for one in upkeep if one.error] == []
    assert {one.table for one in upkeep if one.made} == {"logs", "lines"}
    for asked in ASKED.values():
        assert [list(row) for row in lake.query(asked.of("duckdb", OWN)).rows()] == asked.slowly(rows)
