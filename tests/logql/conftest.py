"""Few records whose answers can be counted by hand, and more whose answers a slow program counts."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from tests.sql.conftest import frame, record

START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _app(number: int, seconds: float, severity: int, body: str, **fields: Any) -> dict[str, Any]:
    own = {"collection": "app", "service_name": "pay", "host_name": "h1", "log_format": "json"}
    return record(number, at(seconds), **(own | {"severity_number": severity, "body": body} | fields))


def _web(number: int, seconds: float, status: int, duration: float | None, size: int) -> dict[str, Any]:
    return record(
        number,
        at(seconds),
        service_name="shop",
        log_format="nginx_combined",
        client_address=f"10.0.0.{number}",
        http_request_method="GET",
        url_path="/cart" if number % 2 else "/pay",
        http_response_status_code=status,
        http_response_body_size=size,
        duration_ms=duration,
        attributes={"took": f"{number}m1.5s", "weight": f"{number}KB"},
    )


SMALL = [
    _app(1, 0, 9, "started"),
    _app(2, 10, 17, "timeout after 5s", attributes={"order.id": "77", "job": "billing", "empty": None}),
    _app(3, 20, 17, 'timeout of "db"', attributes={"order.id": "78"}, service_name=None),
    _app(4, 60, 13, 'msg=slow took=3s user="Ann B"', trace_id="abc"),
    _app(5, 70, 9, '{"order": {"id": 5, "tags": ["x", "y"]}, "level": "odd", "n": 1.5}'),
    _app(6, 80, 21, "\x1b[31mdead\x1b[0m", exception_type="E", exception_stacktrace="E: x\n at y"),
    _web(7, 5, 200, 12.0, 100),
    _web(8, 25, 404, 1500.0, 2000),
    _web(9, 65, 500, None, 30),
    _web(10, 85, 200, 40.0, 5_000_000),
]


class Logs:
    """Records as the table ``logs`` of DuckDB: statements are quick here; tests/web/test_loki.py asks a lake."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        file = io.BytesIO()
        frame(rows).write_parquet(file)
        self._connection.register("given", pq.read_table(file))
        self._connection.execute("CREATE TABLE logs AS SELECT * FROM given")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        return self._connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def small() -> Logs:
    return Logs(SMALL)


def many() -> list[dict[str, Any]]:
    dice = random.Random(11)  # noqa: S311 - a test's dice
    found = []
    for number in range(400):
        when = START + timedelta(
            microseconds=dice.choice([dice.randrange(3_600_000_000), dice.randrange(360) * 10_000_000])
        )
        found.append(
            record(
                number,
                when,
                service_name=dice.choice(["a", "b", None]),
                severity_number=dice.choice([9, 17]),
                body="x" * dice.randrange(1, 9),
                duration_ms=dice.choice([None, float("nan"), dice.randrange(1000) / 8]),
            )
        )
    return found


MANY = many()


@pytest.fixture(scope="session")
def large() -> Logs:
    return Logs(MANY)
