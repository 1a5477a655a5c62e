from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from logshed.errors import QueryError
from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.sql import connect
from logshed.sql.duckdb import DuckDB
from logshed.sql.mistakes import WIDEST
from logshed.sql.views import ANALYTICS, record_id

# Python loses an interrupt that comes within a callback of its garbage collector: it is sent again then.
INTERRUPTED = """
import os, signal, sys, threading, time
from pathlib import Path
from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.sql.duckdb import DuckDB
from logshed.sql.mistakes import WIDEST

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were begun by
engine = DuckDB(LakeTables(lambda: Store.open(Path(sys.argv[1]), create=False)))
engine.query("SELECT count(*) FROM logs").rows()
stopped = 0

def press(seconds, done):
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGINT)
    while not done.wait(2):
        os.kill(os.getpid(), signal.SIGINT)

for turn in range(60):
    done = threading.Event()
    try:
        threading.Thread(target=press, args=(turn * 0.0007, done)).start()
        engine.query("SELECT count(*) FROM range(100000000000) WHERE range % 7 = 3").rows()
    except KeyboardInterrupt:
        done.set()
        stopped += 1
print("stopped", stopped)
"""

STOPPED = """
import signal, sys
from pathlib import Path
from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.sql.duckdb import DuckDB
from logshed.sql.mistakes import WIDEST

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were begun by
engine = DuckDB(LakeTables(lambda: Store.open(Path(sys.argv[1]), create=False)))
engine.query("SELECT count(*) FROM logs").rows()
print("loaded", flush=True)
try:
    engine.query("SELECT sum(hash(a.range * b.range)) FROM range(1000000) a, range(100000) b").rows()
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.fixture
def engine(tables: LakeTables) -> DuckDB:
    return DuckDB(tables)


def test_record_id_is_the_hash_of_source_generation_offset_and_item(engine: DuckDB) -> None:
    rows = engine.query('SELECT record_id, source, generation, "offset", item FROM logs').rows()
    assert len({row[0] for row in rows}) == 600
    assert all(row[0] == record_id(*row[1:]) for row in rows)


def test_the_older_platforms_view_has_their_names_in_order(engine: DuckDB) -> None:
    result = engine.query("SELECT * FROM iceberg.analytics.logs LIMIT 1")
    assert result.columns == [name for name, _ in ANALYTICS]


def test_a_response_without_a_size_is_0_in_the_older_view_and_null_in_logs(engine: DuckDB) -> None:
    where = "WHERE http_response_status_code IS NOT NULL AND http_response_body_size IS NULL"
    unsized = engine.query(f"SELECT count(*) FROM logs {where}").rows()[0][0]
    zeros = engine.query("SELECT count(*) FROM logs WHERE http_response_body_size = 0").rows()[0][0]
    assert unsized > 0
    assert engine.query("SELECT count(*) FROM iceberg.analytics.logs WHERE response_size = 0").rows() == [
        (unsized + zeros,)
    ]


def test_derived_columns_of_the_older_view_follow_the_record(engine: DuckDB) -> None:
    sql = """
        SELECT count(*) FROM iceberg.analytics.logs AS old JOIN logs ON old.timestamp = logs.timestamp
        WHERE is_error IS DISTINCT FROM (http_response_status_code >= 400)
           OR is_security_endpoint IS DISTINCT FROM contains(url_path, '/api/')
           OR hour <> extract(hour FROM logs.timestamp) OR partition_date <> logs.timestamp::date
    """
    assert engine.query(sql).rows() == [(0,)]


def test_values_are_bound_and_never_read_as_sql(engine: DuckDB) -> None:
    sql = "SELECT count(*) FROM logs WHERE service_name = $name AND timestamp >= $since"
    since = datetime(2024, 1, 1, tzinfo=UTC)
    assert engine.query(sql, {"name": "'; DROP", "since": since, "idle": 1}).rows()[0][0] > 0
    with pytest.raises(QueryError, match=r"\$name has no value"):
        engine.query(sql, {"since": since})


def test_a_table_without_a_snapshot_is_empty_and_typed(empty_lake_root: Path) -> None:
    engine = DuckDB(LakeTables(lambda: Store.open(empty_lake_root, create=False)))
    assert engine.query("SELECT * FROM lines").pl().is_empty()
    frame = engine.query("SELECT timestamp, attributes, http_response_status_code FROM logs").pl()
    assert frame.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert engine.query("SELECT count(*) FROM logs").rows() == [(0,)]


def test_a_result_gives_polars_arrow_tuples_and_batches(engine: DuckDB) -> None:
    result = engine.query("SELECT date '2024-01-05' AS day, 3::HUGEINT AS three, sum(range) AS total FROM range(4)")
    assert result.rows() == [(date(2024, 1, 5), 3, 6)]
    assert result.pl().dtypes == [pl.Date, pl.Int64, pl.Int64]
    assert result.arrow().num_rows == len(result) == 1
    assert next(result.batches()).num_rows == 1


def test_rows_stream_once(engine: DuckDB) -> None:
    result = engine.query("SELECT range AS n FROM range(10000000)")
    assert next(result.batches()).num_rows > 0
    with pytest.raises(QueryError, match="streamed"):
        result.rows()


def test_a_long_export_is_never_whole_in_memory(lake_root: Path, tmp_path: Path) -> None:
    script = f"""
import re
from pathlib import Path
from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.sql.duckdb import DuckDB
from logshed.sql.mistakes import WIDEST

def peak():  # its own; getrusage tells that of the process that began it, too
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

engine = DuckDB(LakeTables(lambda: Store.open(Path({str(lake_root)!r}), create=False)))
engine.query("SELECT count(*) FROM logs").rows()
before = peak()
result = engine.query("SELECT range AS n, repeat('x', 200) || range AS text FROM range(3000000)")
rows = sum(batch.num_rows for batch in result.batches())
print(rows, (peak() - before) // 1024)
"""
    (tmp_path / "script.py").write_text(script)  # with -c DuckDB takes it for a session and draws its progress
    done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True)
    rows, grown = map(int, done.stdout.split())
    assert rows == 3_000_000
    assert grown < 250  # MiB; the rows are 600


def test_select_1_imports_neither_pyiceberg_nor_sqlglot_nor_polars() -> None:
    script = """
import sys
from logshed.sql.duckdb import DuckDB
from logshed.sql.mistakes import WIDEST
assert DuckDB(None).query("SELECT 1").rows() == [(1,)]
print([name for name in ("pyiceberg", "sqlglot", "polars", "pandas", "clickhouse_connect") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_question_of_a_lake_loads_no_other_way_to_files_than_ours(lake_root: Path) -> None:
    script = f"""
import sys
from logshed.api import Lake
assert Lake.open({str(lake_root)!r}).query("SELECT count(*) FROM logs").rows()
print([name for name in ("pyiceberg.io.fsspec", "pyiceberg.io.pyarrow", "fsspec", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


MISTAKES = {
    "SELECT url_pth FROM logs": (
        'no column "url_pth"; did you mean "url_path"?',
        "line 1: SELECT url_pth FROM logs",
        7,
    ),
    "SELECT *\nFROM logs\nWHERE status = 4": ("http_response_status_code", "line 3: WHERE status = 4", 6),
    "SELECT http_stats FROM iceberg.analytics.logs": ('did you mean "http_status"?', "line 1:", 7),
    "SELECT * FROM lgs": ('no table "lgs"; did you mean "logs"?', "line 1: SELECT * FROM lgs", 14),
    "SELECT l.url_pth FROM logs AS l": ('did you mean "url_path"?', "line 1:", 7),
    "SELECT 'é', url_pth FROM logs": ('did you mean "url_path"?', "line 1:", 12),
    "SELEC 1": ('syntax error at or near "SELEC"', "line 1: SELEC 1", 0),
    "SELECT count(*) FROM logs GROUP BY": ("syntax error", "line 1:", 32),
    "SELECT lo(1)": ('did you mean "log"?', "line 1:", 7),
    "SELECT severity_text::INTEGER FROM logs": ("Could not convert string", "line 1:", 20),
    "EXPLAIN SELECT url_pth FROM logs": ('did you mean "url_path"?', "line 1: EXPLAIN SELECT url_pth", 15),
}


@pytest.mark.parametrize(("left", "right"), [(0, 500), (500, 0), (500, 500), (3, 3), (95, 3)])
def test_of_a_long_line_what_is_around_the_mistake_is_shown(left: int, right: int, engine: DuckDB) -> None:
    sql = f"SELECT{' ' * left} url_pth{' ' * right} FROM logs"
    with pytest.raises(QueryError) as caught:
        engine.query(sql).rows()
    shown, caret = str(caught.value).splitlines()[-2:]
    assert len(shown) <= WIDEST + 12
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "url_pth"
    assert shown.endswith("…") == (right == 500)
    assert shown.startswith("  line 1: …") == (left >= 95)


@pytest.mark.parametrize(("sql", "expected"), MISTAKES.items())
def test_a_mistake_is_shown_with_its_place_and_the_nearest_name(
    sql: str, expected: tuple[str, str, int], engine: DuckDB
) -> None:
    cause, line, column = expected
    with pytest.raises(QueryError) as caught:
        engine.query(sql).rows()
    text = str(caught.value)
    assert text.startswith("cannot run the query: ")
    assert cause in text
    assert line in text
    shown, caret = text.splitlines()[-2:]
    assert caret.index("^") - shown.index(": ") - 2 == column


REFUSED = [
    "DELETE FROM logs",
    "COPY (SELECT 1) TO 'stolen.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO 'stolen.csv'",
    "ATTACH 'other.db'",
    "SET threads = 1",
    "PRAGMA database_list",
    "CREATE TABLE t (a INT)",
    "SELECT 1; SELECT 2",
    "",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('/etc/*')",
    "SELECT * FROM tables",
    "SELECT * FROM duckdb_secrets()",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_a_statement_can_read_the_lake_and_nothing_else(sql: str, engine: DuckDB) -> None:
    with pytest.raises(QueryError, match="cannot run the query: "):
        engine.query(sql).rows()


def test_a_statement_cannot_write_over_a_file_of_the_lake(engine: DuckDB, tables: LakeTables) -> None:
    file = tables.files("logs", None)[0]
    for sql in (f"COPY (SELECT 1) TO '{file}'", f"COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)"):
        with pytest.raises(QueryError, match="COPY is not allowed"):
            engine.query(sql)


def test_tables_can_be_described(engine: DuckDB) -> None:
    assert engine.query("SHOW TABLES").rows() == [("audit",), ("findings",), ("incidents",), ("lines",), ("logs",)]
    assert engine.query("DESCRIBE logs").rows()[0][:2] == ("timestamp", "TIMESTAMP WITH TIME ZONE")
    assert "record_id" in {row[0] for row in engine.query("SUMMARIZE logs").rows()}
    assert engine.query("PIVOT logs ON collection USING count(*) GROUP BY item").rows() == [(0, 200, 400)]
    assert "READ_PARQUET" in str(engine.query("EXPLAIN SELECT * FROM logs").rows()).upper()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.n, b.n FROM (SELECT count(*) n FROM logs) a, (SELECT count(*) n FROM query_table('li' || 'nes')) b",
        "SELECT (SELECT count(*) FROM logs), (SELECT count(*) FROM query('FROM li' || 'nes'))",
    ],
)
def test_a_table_that_a_statement_hides_is_read_too(sql: str, engine: DuckDB) -> None:
    assert engine.query(sql).rows() == [(600, 0)]


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW TABLES",
        "SELECT name FROM (DESC) WHERE name <> 'logs' OR true",
        "SELECT table_name FROM information_schema.tables WHERE table_name <> 'logs' OR true",
        "SELECT view_name FROM duckdb_views() WHERE view_name <> 'logs' OR true",
    ],
)
def test_a_list_of_tables_has_those_that_the_statement_does_not_name(sql: str, engine: DuckDB) -> None:
    assert {name for (name, *_) in engine.query(sql).rows()} >= {"logs", "lines", "findings", "incidents"}


def test_a_wrong_name_beside_a_right_one_is_told_the_nearest(engine: DuckDB) -> None:
    with pytest.raises(QueryError, match='did you mean "findings"'):
        engine.query("SELECT count(*) FROM logs JOIN findigs USING (record_id)")


def test_ctrl_c_stops_a_statement_at_once(lake_root: Path) -> None:
    """In a process of its own: what other tests have loaded may take signals for itself."""
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(lake_root)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent / "src")},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loaded\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert process.stdout.readline() == "stopped\n"
        assert time.monotonic() - begun < 15  # the statement would run for hours
        assert process.wait(60) == 0


def test_ctrl_c_is_one_whenever_it_comes(lake_root: Path) -> None:
    """Also while the statement is planned, which DuckDB makes another error of, and just before it begins."""
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(lake_root)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent / "src")},
        check=False,
    )
    assert (ran.stdout, ran.returncode) == ("stopped 60\n", 0), ran.stderr


def test_one_engine_serves_many_threads(engine: DuckDB) -> None:
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(engine.query("SELECT count(*) FROM range(1000)").rows()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[(1000,)]] * 4


def test_an_unknown_engine_is_named_with_those_that_are_there(tables: LakeTables) -> None:
    with pytest.raises(QueryError, match="take one of duckdb, clickhouse"):
        connect("oracle", tables)
