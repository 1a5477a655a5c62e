"""A gold table comes to the same on DuckDB and on ClickHouse's engine."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logshed.api import Lake
from logshed.queries.gold import load
from logshed.settings import Settings

pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")

ANSWERS = Path(__file__).parent.parent / "sql" / "clickhouse_answers.py"
TABLES = load()
SPAN = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Lake:
    root = tmp_path_factory.mktemp("gold")
    made = Lake.open(root / "lake", create=True, settings=Settings.load(root, environ={}))
    made.ingest([examples / name for name in ("access.log", "app.jsonl", "auth.log")])
    return made


@pytest.fixture(scope="module")
def answers(lake: Lake) -> list[Any]:
    done = subprocess.run(
        [sys.executable, str(ANSWERS), str(lake.root)],
        input=pickle.dumps([(table.sql, table.bind(*SPAN)) for table in TABLES.values()]),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent / "src")},
    )
    found: list[Any] = pickle.loads(done.stdout)  # noqa: S301 - of our own process
    return found


@pytest.mark.parametrize("name", TABLES)
def test_a_gold_table_is_the_same_on_both_engines(name: str, lake: Lake, answers: list[Any]) -> None:
    answer = answers[list(TABLES).index(name)]
    assert isinstance(answer, tuple), answer
    here = lake.query(TABLES[name].sql, params=TABLES[name].bind(*SPAN))
    assert set(here.columns) == {column.name for column in TABLES[name].columns} == set(answer[0])
    ours, theirs = (sorted(map(plain, rows), key=repr) for rows in (here.rows(), answer[2]))
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert all(same(one, two) for one, two in zip(mine, other, strict=True)), (mine, other)


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(round(value, 6) if isinstance(value, float) else value for value in row)


def same(one: Any, two: Any) -> bool:
    return math.isclose(one, two, rel_tol=1e-9) if isinstance(one, float) and isinstance(two, float) else one == two
