from __future__ import annotations

import os
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from logshed.queries import load
from logshed.sql import dialect
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from logshed.pipeline.tables import LakeTables

pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")

NOW = datetime(2024, 5, 10, tzinfo=UTC)
QUESTIONS = load()
EQUAL = [
    "SELECT 1 AS one, 'x' AS text, true AS yes, NULL AS nothing",
    'SELECT * EXCLUDE (attributes) FROM logs ORDER BY "offset"',
    "SELECT * FROM iceberg.analytics.logs WHERE partition_date >= '2024-02-20' ORDER BY timestamp",
    "SELECT * FROM lines",
    "SELECT count(*) AS n, max(timestamp) AS last, sum(http_response_body_size) AS b FROM logs WHERE url_path = 'none'",
    'SELECT median(severity_number) AS m, quantile_cont("offset", 0.9) AS q FROM logs',
    "SELECT l.url_path FROM logs AS l JOIN logs AS m USING (record_id) ORDER BY record_id LIMIT 9",
    "WITH logs AS (SELECT 7 AS seven) SELECT seven FROM logs",
    "WITH x AS (SELECT url_path AS p FROM logs) SELECT p, count(*) AS n FROM x GROUP BY ALL ORDER BY n DESC, p",
    "SELECT url_path AS timestamp FROM logs WHERE timestamp < '2024-01-03' ORDER BY 1 NULLS FIRST",
    "SELECT regexp_replace('a1b22', '[0-9]', '#') AS x, regexp_replace('a1b22', '[0-9]+', '#', 'g') AS y",
    "SELECT regexp_replace(regexp_replace(url_path, 'a', 'b'), '[/b]', '_', 'g') AS p FROM logs ORDER BY record_id",
    "SELECT epoch_us(timestamp) AS us, url_decode('a%C3%BC+b') AS u FROM logs ORDER BY us, record_id LIMIT 3",
    "WITH x AS (SELECT url_path AS p, 1 AS n FROM logs) SELECT p, sum(n) AS n FROM x GROUP BY p ORDER BY N DESC, p",
    "SELECT -severity_number AS severity_number, x.offset FROM logs AS x ORDER BY severity_number, x.offset LIMIT 9",
    "SELECT count(*) AS n FROM logs WHERE $collection IS NULL OR collection = $collection",
    "SELECT lower('ÄB') AS a, TRY_CAST('x' AS DOUBLE) AS b, TRY_CAST('1.5' AS DOUBLE) AS c",
    "SELECT time_bucket(to_seconds(21600), timestamp) AS t, count(*) AS n FROM logs GROUP BY 1 ORDER BY 1",
    "SELECT count(*) AS n FROM logs WHERE service_name = $name AND url_path IS NOT NULL AND 5 > 3",
]
REFUSED = [
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')",
    "DROP TABLE logs",
    "SELECT 1; SELECT 2",
    "INSERT INTO logs SELECT * FROM logs",
    "SELECT toIntervalDay(1) AS days",
    "SELECT toIPv4('192.0.2.1') AS address",
    "SELECT CAST('a' AS UUID) AS name",
    "SELECT CAST('a' AS ENUM('a')) AS one_of",
    "SELECT url_pth FROM logs",
]
TYPED = {
    "toUInt16(3)": ("int64", 3),
    "toUInt32(3)": ("int64", 3),
    "toInt8(3)": ("int32", 3),
    "toFloat32(3)": ("double", 3.0),
    "toDate('2024-01-02')": ("date32[day]", date(2024, 1, 2)),
    "toDateTime('2024-01-02 03:04:05', 'UTC')": ("timestamp[us, tz=UTC]", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "toDecimal64(3, 2)": ("decimal128(18, 2)", Decimal("3.00")),
    "array(toUInt64(3))": ("list<item: int64>", [3]),
    "map('a', toInt8(3))": ("map<string, int32>", [("a", 3)]),
}
"""ClickHouse's own types, as a result has them."""


Answered = list[Any]


def answered(root: Path, asked: list[tuple[str, dict[str, object]]]) -> Answered:
    """What ClickHouse's engine says, in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("clickhouse_answers.py")), str(root)],
        input=pickle.dumps(asked),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent / "src")},
    )
    found: Answered = pickle.loads(done.stdout)  # noqa: S301 - from our own child
    return found


@pytest.fixture(scope="module")
def answers(lake_root: Path) -> Answered:
    asked: list[tuple[str, dict[str, object]]] = [
        (sql, {"collection": None, "name": "'; DROP"}) for sql in EQUAL + REFUSED
    ]
    return answered(lake_root, [*asked, *[(f"SELECT {text} AS x", {}) for text in TYPED]])


@pytest.fixture(scope="module")
def answers_to_questions(lake_root: Path) -> Answered:
    asked = [(q.sql, q.bind(now=NOW, since="all")) for q in QUESTIONS.values()]
    asked += [(q.sql, q.bind(now=NOW, since="90d", until="30d", collection="web")) for q in QUESTIONS.values()]
    return answered(lake_root, asked)


def on_duckdb(tables: LakeTables, sql: str, params: dict[str, object]) -> tuple[list[str], list[str], list[object]]:
    result = DuckDB(tables).query(sql, params)
    return result.columns, [str(field.type) for field in result.schema], result.rows()


@pytest.mark.soak  # test_answers.py asks every question of both each time, of a lake with more in it
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_the_same_answer_on_both_engines(
    name: str, answers_to_questions: Answered, tables: LakeTables
) -> None:
    answers, question, place = answers_to_questions, QUESTIONS[name], list(QUESTIONS).index(name)
    whole = on_duckdb(tables, question.sql, question.bind(now=NOW, since="all"))
    assert answers[place] == whole
    assert whole[0] == list(question.columns)
    part = on_duckdb(tables, question.sql, question.bind(now=NOW, since="90d", until="30d", collection="web"))
    assert answers[len(QUESTIONS) + place] == part


@pytest.mark.parametrize("sql", EQUAL)
def test_a_statement_has_the_same_rows_on_both_engines(sql: str, answers: Answered, tables: LakeTables) -> None:
    columns, _, rows = on_duckdb(tables, sql, {"collection": None, "name": "'; DROP"})
    answer = answers[EQUAL.index(sql)]
    assert isinstance(answer, tuple), answer
    assert answer[0] == columns
    assert repr(answer[2]) == repr(rows)  # NaN is NaN


@pytest.mark.parametrize("sql", REFUSED)
def test_a_statement_cannot_leave_the_lake_on_clickhouse_either(sql: str, answers: Answered) -> None:
    answer = answers[len(EQUAL) + REFUSED.index(sql)]
    assert isinstance(answer, str)
    assert answer.startswith("cannot ")


def test_a_mistake_is_explained_as_on_duckdb(answers: Answered) -> None:
    assert 'did you mean "url_path"?\n  line 1: SELECT url_pth' in answers[-1 - len(TYPED)]


def test_types_of_clickhouse_s_own_are_those_of_results(answers: Answered) -> None:
    found = dict(zip(TYPED, answers[-len(TYPED) :], strict=True))
    assert found == {text: (["x"], [kind], [(value,)]) for text, (kind, value) in TYPED.items()}


def test_values_are_written_as_literals_of_clickhouse() -> None:
    tree = dialect.parsed("SELECT $name AS a, $since AS b, $none AS c")
    values = {"name": "it's \\ ", "since": datetime(2024, 1, 5, 12, tzinfo=UTC), "none": None}
    sql = dialect.to_clickhouse(tree, values, {}, str)
    assert sql == "SELECT 'it''s \\\\ ' AS a, toDateTime64('2024-01-05 12:00:00.000000', 6, 'UTC') AS b, NULL AS c"
