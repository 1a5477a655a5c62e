from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from logshed import sql
from logshed.errors import QueryError
from logshed.sql import ending, feeding, processes
from logshed.sql.sight import Sight

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.pipeline.tables import LakeTables
    from logshed.sql import Engine

SOON = 15.0
"""Seconds within which even a busy machine ends what would otherwise run for hours."""
CROSS = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE hash(a.range + b.range) = 42"
SEVERAL = [
    "SELECT url_path, count(*) AS n FROM logs GROUP BY 1 ORDER BY n DESC, 1 LIMIT 5",
    "SELECT count(*) FROM logs WHERE timestamp >= '2024-02-01' AND http_response_status_code IN (404, 500)",
    'SELECT a."offset" FROM logs AS a JOIN logs AS b USING ("offset") WHERE b.url_path LIKE \'/a%\' ORDER BY 1',
    'SELECT * FROM logs ORDER BY "offset" LIMIT 3',
    "SELECT record_id FROM logs ORDER BY 1 LIMIT 3",
    "SELECT http_status, is_error, count(*) FROM iceberg.analytics.logs GROUP BY ALL ORDER BY ALL",
    'SELECT attributes, duration_ms, user_agent_is_bot FROM logs ORDER BY "offset" LIMIT 20',
    "SELECT count(*) FROM logs WHERE body ILIKE '%FAILED%' OR duration_ms > 20 OR user_agent_is_bot",
    "SELECT count(*) FROM logs WHERE url_path IS NULL OR url_path = 'it''s' OR \"offset\" BETWEEN 100 AND 900",
    "SELECT date_trunc('month', timestamp) AS month, count(*) FROM logs GROUP BY 1 ORDER BY 1",
    "WITH x AS (SELECT max(timestamp) AS t FROM logs) SELECT max(t) FROM logs, x WHERE timestamp > t - INTERVAL 9 DAY",
    "SELECT count(*) FROM lines",
    "SELECT count(*) FROM logs WHERE timestamp < '2023-01-01'",
    "FROM (SELECT http_request_method AS m FROM logs) PIVOT (count(*) FOR m IN ('GET', 'POST'))",
    "DESCRIBE logs",
    "SELECT $n + count(*) FROM logs WHERE timestamp::date = $day",
]


@pytest.fixture
def people(tables: LakeTables) -> Engine:
    """An engine of somebody who sees one collection."""
    return sql.connect("duckdb", tables, sight=Sight.of(["web"]), sandbox=True)


@pytest.mark.parametrize("statement", SEVERAL)
def test_a_statement_gives_in_a_sandbox_what_it_gives_elsewhere(tables: LakeTables, statement: str) -> None:
    values = {"n": 5, "day": "2024-01-05"}
    for sight in (None, Sight.of(["web"])):
        ours = sql.connect("duckdb", tables, sight=sight).query(statement, values)
        theirs = sql.connect("duckdb", tables, sight=sight, sandbox=True).query(statement, values)
        assert theirs.schema == ours.schema
        assert repr(theirs.rows()) == repr(ours.rows())


def test_only_columns_that_are_wanted_are_read(tables: LakeTables, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    scan = feeding.Feed.scan

    def heard(self: feeding.Feed, table: str, columns: list[str], where: str | None) -> object:
        asked.append(sorted(columns))
        return scan(self, table, columns, where)

    monkeypatch.setattr(feeding.Feed, "scan", heard)
    engine = sql.connect("duckdb", tables, sight=Sight.of(["web"]), sandbox=True)
    engine.query("SELECT url_path FROM logs WHERE timestamp > '2024-02-01' AND http_request_method = 'GET'").rows()
    assert asked == [["http_request_method", "timestamp", "url_path"]]


@pytest.mark.parametrize(
    "where",
    [
        "error(body)",
        "timestamp >= now()",
        "url_path = 'a' or true --",
        "x = 1",
        "(SELECT 1)",
        "body like 'a%'",
        "1 + 1",
        ";",
    ],
)
def test_a_row_filter_that_is_none_is_not_run(where: str) -> None:
    with pytest.raises(QueryError, match="it is no row filter"):
        feeding.filtered(where, {"timestamp", "url_path", "body"})


@pytest.mark.parametrize("sight", [None, Sight.of(["web"])])
def test_a_statement_ends_when_its_time_is_over(tables: LakeTables, sight: Sight | None) -> None:
    engine = sql.connect("duckdb", tables, sight=sight, sandbox=True, seconds=0.5, threads=1)
    engine.query("SELECT 1").rows()  # a process has started
    begun = time.monotonic()
    with pytest.raises(QueryError, match=r"it took longer than 0.5 s"):
        engine.query(CROSS).rows()
    assert time.monotonic() - begun < SOON


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT length(repeat('x', 3000000000))",
        "SELECT length(format('{:>2000000000}', 'x'))",
        "SELECT length(translate(repeat('a', 1000000000), 'a', 'b'))",
        "WITH RECURSIVE t AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t",
    ],
)
def test_one_function_that_never_ends_ends_with_the_time_too(people: Engine, statement: str) -> None:
    people.query("SELECT 1").rows()  # a process has started
    engine = sql.connect("duckdb", NoTables(), sandbox=True, seconds=1.0, memory_limit="256MB", threads=1)
    begun = time.monotonic()
    with pytest.raises(QueryError, match=r"longer than|more memory"):
        engine.query(statement).rows()
    assert time.monotonic() - begun < SOON


def test_the_time_that_a_reader_takes_does_not_count(tables: LakeTables) -> None:
    engine = sql.connect("duckdb", tables, sight=Sight.of(["web"]), sandbox=True, seconds=3.0)
    batches = engine.query("SELECT range FROM range(800000)").batches()
    rows = next(batches).num_rows
    time.sleep(3.1)
    assert rows + sum(batch.num_rows for batch in batches) == 800_000


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(DISTINCT hash(range)) FROM range(900000000)",
        "WITH RECURSIVE t AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t",
    ],
)
def test_memory_and_spill_are_bounded(statement: str) -> None:
    engine = sql.connect("duckdb", NoTables(), sandbox=True, memory_limit="256MB", temp_limit="64MB", seconds=200.0)
    most, over = [0], threading.Event()
    before = {child.pid for child in psutil.Process().children()}
    processes.pool.end()

    def watch() -> None:
        while not over.wait(0.02):
            for child in psutil.Process().children():
                if child.pid not in before:
                    most[0] = max(most[0], child.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with pytest.raises(QueryError, match="more memory"):
            engine.query(statement).rows()
    finally:
        over.set()
        watcher.join()
    assert 0 < most[0] < 700 * 1024 * 1024


def test_a_cancel_from_another_thread_works_at_once(tables: LakeTables) -> None:
    engine = sql.connect("duckdb", tables, sight=Sight.of(["web"]), sandbox=True)
    result = engine.query("SELECT a.range FROM range(100000000) AS a, range(1000) AS b")
    stopped: list[float] = []

    def stop() -> None:
        time.sleep(0.3)
        stopped.append(time.monotonic())
        result.close()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(QueryError, match="it was cancelled"):
        for _ in result.batches():
            pass
    assert time.monotonic() - stopped[0] < SOON
    thread.join()


@pytest.mark.parametrize("times", [3, pytest.param(50, marks=pytest.mark.soak)])
def test_many_statements_leave_no_thread_no_file_and_no_process(tables: LakeTables, times: int) -> None:
    engine = sql.connect("duckdb", tables, sight=Sight.of(["web"]), sandbox=True)

    def held() -> tuple[int, int, int]:
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), len(psutil.Process().children())

    def some(number: int) -> None:
        for _ in range(number):
            engine.query("SELECT count(*) FROM logs").rows()
            engine.query("SELECT * FROM logs").close()
            next(engine.query("SELECT body FROM logs").batches())
            with pytest.raises(QueryError):
                engine.query("SELECT nothing FROM logs")

    some(2)
    before = held()
    some(times)
    end = time.monotonic() + SOON
    while held() != before and time.monotonic() < end:
        time.sleep(0.05)  # a process that was ended is buried, and a thread goes, a moment later
    assert held() == before


def test_a_process_that_dies_is_told_and_the_next_statement_has_another(people: Engine) -> None:
    result = people.query("SELECT a.range FROM range(100000000) AS a, range(1000) AS b")
    for child in psutil.Process().children():
        if "logshed.sql.worker" in child.cmdline():
            child.kill()
    with pytest.raises(QueryError, match="broke the engine"):
        result.rows()
    assert people.query("SELECT 1").rows() == [(1,)]


@pytest.mark.parametrize("read", [True, False])
def test_a_statement_that_is_ended_late_takes_no_process_from_another(people: Engine, read: bool) -> None:
    ends: list[Callable[[], None]] = []
    with ending.telling(lambda end, _: ends.append(end)):
        result = people.query("SELECT 1 AS one")
    if read:
        assert result.rows() == [(1,)]
    else:
        time.sleep(0.2)  # the process has said by now that it is done
    other = people.query("SELECT range AS n FROM range(200000)") if read else None
    for end in ends:
        end()
    result.close()
    assert other is None or len(other.rows()) == 200_000
    assert people.query("SELECT 2").rows() == [(2,)]


def test_a_process_knows_no_environment_and_little_of_the_program(people: Engine) -> None:
    assert people.query("SELECT 1").rows() == [(1,)]
    (child, *_) = [one for one in psutil.Process().children() if "logshed.sql.worker" in one.cmdline()]
    assert set(child.environ()) <= {"PYTHONPATH", "TMPDIR", "PATH", "LANG", "ARROW_DEFAULT_MEMORY_POOL", "LC_CTYPE"}
    loaded = Path(f"/proc/{child.pid}/maps").read_text()
    assert "_duckdb" in loaded
    assert "polars" not in loaded


class NoTables:
    """A lake that has none."""

    def names(self) -> list[str]:
        """None."""
        return []

    def closed(self) -> list[str]:
        """None."""
        return []

    def filesystem(self) -> None:
        """None."""
