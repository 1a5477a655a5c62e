from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.tables import LakeTables
    from logshed.sql.tables import TableColumn


class AllFiles:
    """The same tables, never pruned: what every answer is compared with."""

    def __init__(self, tables: LakeTables) -> None:
        self._tables = tables

    def names(self) -> Sequence[str]:
        """As the tables'."""
        return self._tables.names()

    def closed(self) -> Sequence[str]:
        """As the tables'."""
        return self._tables.closed()

    def columns(self, table: str) -> Sequence[TableColumn]:
        """As the tables'."""
        return self._tables.columns(table)

    def files(self, table: str, where: str | None) -> Sequence[str]:  # noqa: ARG002 - that is the point
        """All of them."""
        return self._tables.files(table, None)

    def filesystem(self) -> None:
        """As the tables'."""

    def renamed(self, table: str) -> bool:
        """As the tables'."""
        return self._tables.renamed(table)


PRUNED = {
    "SELECT * FROM logs WHERE timestamp >= '2024-04-20'": 4,
    "SELECT * FROM logs WHERE timestamp::date = '2024-01-05'": 4,
    "SELECT * FROM logs WHERE date_trunc('month', timestamp) = '2024-02-01'": 4,
    "SELECT * FROM iceberg.analytics.logs WHERE partition_date = '2024-01-05'": 4,
    "SELECT * FROM iceberg.analytics.logs WHERE partition_date BETWEEN '2024-01-01' AND '2024-01-09'": 4,
    "SELECT timestamp::date AS d, count(*) FROM logs GROUP BY 1 HAVING d = '2024-01-05'": 4,
    "WITH x AS (SELECT * FROM logs WHERE timestamp < '2024-01-09') SELECT count(*) FROM x": 4,
    'SELECT count(*) FROM logs WHERE "offset" = 100 OR "offset" = 200': 4,
    "SELECT * FROM logs WHERE false": 9,
}
SAME = [
    "SELECT * FROM (SELECT item AS severity_number, url_path FROM logs) WHERE severity_number = 0 OR url_path = '/a'",
    "SELECT * FROM (SELECT observed_timestamp AS timestamp FROM logs) WHERE timestamp::date = '2025-02-10'",
    "SELECT * FROM (SELECT observed_timestamp AS timestamp FROM logs) WHERE timestamp > '2025-03-01'",
    "SELECT * FROM logs WHERE url_path = 'x\n(http_response_status_code = 404)\ny' OR url_path = '/b'",
    "SELECT * FROM logs WHERE url_path = 'line\nfeed'",
    "SELECT * FROM logs WHERE url_path = 'back\\slash'",
    "SELECT * FROM logs WHERE url_path = '/it''s' AND http_response_status_code <> 200",
    "SELECT * FROM logs WHERE duration_ms > 100",
    "SELECT * FROM logs WHERE duration_ms >= 'nan'::DOUBLE",
    "SELECT * FROM logs WHERE http_response_status_code > 403.5",
    "SELECT * FROM logs a JOIN logs b USING (record_id) WHERE a.url_path = '/a' AND b.http_response_status_code = 404",
    "SELECT a.offset, b.offset FROM logs a LEFT JOIN logs b ON a.offset = b.offset AND b.timestamp < '2024-01-05'",
    "SELECT count(*) FROM logs WHERE timestamp > (SELECT max(timestamp) - INTERVAL 3 DAY FROM logs)",
    "SELECT * FROM logs WHERE url_path IN (SELECT url_path FROM logs WHERE timestamp < '2024-01-02')",
    "SELECT severity_number IN (9, 13, 17, 1, 2, 3, 4, 5, 6, 7, 8) AS x, count(*) FROM logs GROUP BY 1",
    "SELECT count(*), max(timestamp), min(timestamp) FROM logs",
    "SELECT * FROM logs WHERE timestamp < '2024-01-03' UNION ALL SELECT * FROM logs WHERE timestamp > '2024-04-30'",
    "SELECT * FROM logs ORDER BY timestamp DESC LIMIT 3",
    "SELECT * FROM logs WHERE timestamp > now() - INTERVAL 100 YEAR AND timestamp < now()",
    "SELECT * FROM logs JOIN iceberg.analytics.logs AS old USING (timestamp) WHERE old.partition_date = '2024-01-05'",
    "SELECT * FROM iceberg.analytics.logs WHERE hour = 5 AND NOT is_error",
    "SELECT t.b FROM logs AS t(timestamp, b) WHERE t.b::date = '2025-02-10'",
]
CONDITIONS = [
    "timestamp >= '2024-03-01'",
    "timestamp < '2024-02-10 12:00:00'",
    "timestamp::date = '2024-01-20'",
    "timestamp::date <> '2024-01-20'",
    "timestamp::date IN ('2024-01-20', '2024-04-01')",
    "date_trunc('week', timestamp) >= '2024-04-01'",
    "http_response_status_code = 404",
    "http_response_status_code NOT IN (200, 404)",
    "http_response_status_code BETWEEN 400 AND 500",
    "http_response_status_code IS NULL",
    "severity_number >= 17",
    "url_path LIKE '/a%'",
    "url_path > '/b'",
    "url_path = ''",
    "url_path IS NOT NULL",
    "body ILIKE '%hello%'",
    "user_agent_is_bot",
    "collection = 'app'",
    "duration_ms > 10",
    '"offset" % 7 = 0',
    '"offset" > 30000',
    "coalesce(service_name, 'x') = 'x'",
]


def rows_of(sql: str, tables: LakeTables | AllFiles) -> list[str]:
    return sorted(map(repr, DuckDB(tables, threads=1).query(sql).rows()))


@pytest.mark.parametrize(("sql", "at_most"), PRUNED.items())
def test_files_that_hold_no_wanted_row_are_not_read(sql: str, at_most: int, tables: LakeTables) -> None:
    result = DuckDB(tables).query(sql)
    assert result.files_read is not None
    assert result.files_read <= at_most
    assert sorted(map(repr, result.rows())) == rows_of(sql, AllFiles(tables))


@pytest.mark.parametrize("sql", SAME)
def test_pruning_changes_no_answer(sql: str, tables: LakeTables) -> None:
    assert rows_of(sql, tables) == rows_of(sql, AllFiles(tables))


conditions = st.recursive(
    st.sampled_from(CONDITIONS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda part: f"({part[0]} {part[1]} {part[2]})"),
        inner.map(lambda part: f"NOT ({part})"),
    ),
    max_leaves=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(condition=conditions)
def test_pruning_changes_no_answer_for_any_condition(condition: str, tables: LakeTables) -> None:
    sql = f'SELECT "offset" FROM logs WHERE {condition}'
    assert rows_of(sql, tables) == rows_of(sql, AllFiles(tables))


def test_a_statement_that_names_no_table_does_not_look_at_the_lake() -> None:
    class NoTables:
        def names(self) -> list[str]:
            raise AssertionError

        columns = files = names

    assert DuckDB(NoTables()).query("SELECT 1 AS one").rows() == [(1,)]
