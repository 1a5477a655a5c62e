from __future__ import annotations

import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.search.oracle import matches
from tests.sql.conftest import records, write_lake

from logshed.lake.store import Store
from logshed.pipeline.search import Search, understood
from logshed.pipeline.tables import LakeTables
from logshed.search import parse, statements
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from collections.abc import Sequence

pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")

NOW = datetime(2024, 5, 10, tzinfo=UTC)
ROOT = Path(__file__).parent.parent
SEARCHES = [
    "",
    "level:error",
    "level>=warn level<fatal",
    "status>=500 -path:/api/x",
    "status:(404,401) OR status:3xx",
    "status:4* size:*",
    "-user:* -status:*",
    "service:SHOP path:/A*",
    "service=shop method!=get",
    '"Invalid user" port',
    "NAÏVE",
    "n?ive OR hel*o",
    'message~"user \\w+"',
    '~"(?i)FAILED"',
    "duration>1ms duration<=900.125",
    "duration:1..20.25",
    "size>1.5GB",
    "attributes.cart:x*",
    "attributes.cart>5 -attributes.cart>=70",
    "attributes.cart:*",
    "attributes.cart:5..80",
    "X-7",
    "client:192.0.0.0/8 user_agent_is_bot:true",
    "client:2001:db8::1",
    'service:"\'; DROP" path:"back\\\\slash"',
    "path:*say*",
    'path:"line\nfeed"',
    "time:2024-01-03..2024-02-01 -(level:info OR status<400)",
    "collection:app exception:timeout",
]


def rows_of_the_lake() -> list[dict[str, Any]]:
    found = records(600)
    for place, row in enumerate(found):
        row["attributes"] = {"cart": ["7", "70.5", "x-7", "X y", None][place % 5]} if place % 2 else None
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("search") / "lake"
    write_lake(root, rows_of_the_lake(), files=5)
    return root


def asked() -> list[str]:
    scopes = [understood(text, now=NOW, since="all") for text in SEARCHES]
    part = understood("level>=warn OR status>=500", now=NOW, since="2024-01-05", until="2024-04-01")
    return [
        *(Search(scope, ("timestamp", "level", "offset", "attributes.cart")).sql for scope in scopes),
        statements.records(part, limit=7, oldest_first=True),
        statements.around(part, ["timestamp", "level", "offset", "body"], before_and_after=2, limit=9),
        statements.grouped(part, ["level", "service", "attributes.cart"]),
        statements.histogram(part, 21_600),
        statements.rates(part, 86_400, ["service"]),
        statements.percentile(scopes[0], 95, "duration", ["path"]),
        statements.percentile(scopes[0], 50, "attributes.cart"),
        statements.extent(part),
        statements.hours(part),
    ]


def test_both_engines_give_the_same_answers(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "sql" / "clickhouse_answers.py"), str(root)],
        input=pickle.dumps([(sql, {}) for sql in asked()]),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT.parent / "src")},
    )
    answers: Sequence[Any] = pickle.loads(done.stdout)  # noqa: S301 - from our own child
    engine = DuckDB(LakeTables(lambda: Store.open(root, create=False)))
    for sql, answer in zip(asked(), answers, strict=True):
        assert isinstance(answer, tuple), (sql, answer)
        result = engine.query(sql)
        assert answer[0] == result.columns, sql
        assert [list(map(rounded, row)) for row in answer[2]] == [list(map(rounded, row)) for row in result.rows()], sql


def rounded(value: Any) -> Any:
    """Percentiles may differ in their last figure, and an empty map may be NULL; NaN is NaN."""
    return None if value == [] else f"{value:.9f}" if isinstance(value, float) else value


def test_the_records_found_are_those_that_the_page_promises(root: Path) -> None:
    engine = DuckDB(LakeTables(lambda: Store.open(root, create=False)))
    for text in SEARCHES:
        wanted = [row["offset"] for row in rows_of_the_lake() if matches(parse(text), row)]
        found = engine.query(statements.records(understood(text, since="all"), ["offset"], oldest_first=True)).rows()
        assert [offset for (offset,) in found] == wanted, text
        assert wanted, text
