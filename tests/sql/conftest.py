"""A small lake with everything that statements stumble over."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from pyiceberg.io.pyarrow import parquet_file_to_data_file

from logshed import schema
from logshed.lake.names import LOGS
from logshed.lake.store import Store
from logshed.lake.writing import FileWriter
from logshed.pipeline.tables import LakeTables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START = datetime(2024, 1, 1, tzinfo=UTC)
PATHS = ["/a", "/b", "/api/x", "/it's", 'say "hi"', "back\\slash", "line\nfeed", "", "/ümlaut", None]


@pytest.fixture(scope="session")
def lake_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sql") / "lake"
    write_lake(root, records(600), files=5)
    return root


@pytest.fixture
def tables(lake_root: Path) -> LakeTables:
    store = Store.open(lake_root, create=False)
    return LakeTables(lambda: store)


@pytest.fixture(scope="session")
def empty_lake_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sql") / "empty"
    Store.open(root, create=True)
    return root


def write_lake(root: Path, rows: Sequence[dict[str, Any]], files: int, name: str = "f") -> None:
    store = Store.open(root, create=True)
    size = -(-len(rows) // files)
    for start in range(0, len(rows), size):
        table = store.table(LOGS)
        written = FileWriter.of(LOGS, table).write(frame(rows[start : start + size]), f"{name}{start}")
        with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
            for file in written:
                path = f"file://{file.path}"
                append.append_data_file(parquet_file_to_data_file(table.io, table.metadata, path))


def frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    columns = schema.polars_schema(schema.SILVER)
    return pl.DataFrame(
        {name: pl.Series(name, [row.get(name) for row in rows], dtype=dtype) for name, dtype in columns.items()}
    )


def record(number: int, when: datetime, **fields: Any) -> dict[str, Any]:
    return {
        "timestamp": when,
        "observed_timestamp": when + timedelta(days=400),
        "timestamp_source": "event",
        "collection": "web",
        "source": "file:/var/log/a.log",
        "generation": "g1",
        "offset": number * 100,
        "item": 0,
        "batch": "b1",
        "redaction_count": 0,
        **fields,
    }


def records(count: int) -> list[dict[str, Any]]:
    """Access log and application records, ten hours apart at most, over about four months."""
    dice = random.Random(7)  # noqa: S311 - a test's dice
    found = []
    for number in range(count):
        when = START + timedelta(hours=number * 5, microseconds=dice.randrange(18_000_000_000))
        found.append(record(number, when, **(_request(dice) if number % 3 else _message(dice))))
    return found


def _request(dice: random.Random) -> dict[str, Any]:
    return {
        "log_format": "apache_combined",
        "http_request_method": dice.choice(["GET", "POST", None]),
        "url_path": dice.choice(PATHS),
        "http_response_status_code": dice.choice([200, 200, 301, 401, 404, 500]),
        "http_response_body_size": dice.choice([None, 0, 10, 2_000_000_000]),
        "http_referrer": dice.choice([None, "http://example.org/"]),
        "user_agent_original": dice.choice(["curl/8", "Mozilla/5.0"]),
        "client_address": dice.choice(["192.0.2.1", "2001:db8::1"]),
        "duration_ms": dice.choice([None, 0.0005, 1.5, 20.25, 900.125, float("nan")]),
        "user_agent_is_bot": dice.choice([True, False, None]),
        "service_name": dice.choice(["shop", "'; DROP"]),
    }


def _message(dice: random.Random) -> dict[str, Any]:
    text, number = dice.choice([("INFO", 9), ("WARN", 13), ("ERROR", 17), ("FATAL", 21)])
    return {
        "collection": "app",
        "log_format": "json",
        "severity_text": text,
        "severity_number": number,
        "scope_name": dice.choice(["shop.Cart", "shop.Pay", None]),
        "exception_type": dice.choice([None, "java.lang.IllegalStateException", "Timeout"]),
        "body": dice.choice(["hello", "Failed password for invalid user bob from 192.0.2.9 port 22 ssh2", "naïve"]),
        "parse_error": dice.choice([None, None, "empty line"]),
    }
