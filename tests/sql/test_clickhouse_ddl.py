from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from logshed.api import Lake
from logshed.errors import UsageError
from logshed.lake.names import CASES, FOUND
from logshed.lake.store import Store
from logshed.settings import Settings
from logshed.sql import clickhouse_hot
from logshed.sql.clickhouse_ddl import Wanted, needed, statements
from logshed.sql.tables import Stored

if TYPE_CHECKING:
    from logshed.pipeline.tables import LakeTables

SCRIPT = Path(__file__).with_name("ddl_on_chdb.py")
ASKED = [
    'SELECT count(*), sum(http_response_body_size), max("offset") FROM {}logs',
    "SELECT record_id, url_path, http_response_status_code, attributes['a'] FROM {}logs ORDER BY record_id",
    "SELECT CAST(epoch_us(timestamp) AS BIGINT), service, CAST(partition_date AS VARCHAR) FROM {}old ORDER BY 1, 2",
    "SELECT message, http_status, response_size, is_error, hour, is_security_endpoint FROM {}old ORDER BY ALL",
    "SELECT count(*) FROM {}lines",
    "SELECT count(*) FROM {}findings",
]
AZURE = (
    "storage_account_url = 'https://a.blob.core.windows.net', container = 'b', account_name = 'a', "
    "account_key = '<key>'"
)
BUCKETS = {
    "s3://logs/a lake": (
        "icebergS3(logshed_lake, filename = 'a lake/')",
        "url = 'https://logs.s3.<region>.amazonaws.com/', access_key_id = '<key>', secret_access_key = '<secret>'",
    ),
    "gs://logs/lake/": (
        "icebergS3(logshed_lake, filename = 'lake/')",
        "url = 'https://storage.googleapis.com/logs/', access_key_id = '<key>', secret_access_key = '<secret>'",
    ),
    "abfss://b@a.dfs.core.windows.net/lake": (
        "icebergAzure(logshed_lake, blob_path = 'lake/')",
        AZURE,
    ),
}
CATALOG = {
    "rest": Wanted("catalog", uri="https://catalog.example.org/iceberg", warehouse="it's"),
    "glue": Wanted("catalog", catalog="glue", warehouse="eu-west-1"),
}


def stored(location: str, tables: LakeTables) -> dict[str, Stored]:
    return {"logs": Stored("silver.logs", location, tables.columns("logs"))}


def answers(folder: Path, found: list[str], asked: list[str]) -> list[Any]:
    """What ClickHouse's engine says; it reads tables below the folder that it runs in."""
    given = json.dumps({"statements": found, "asked": asked})
    words = [sys.executable, str(SCRIPT)]
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def pinned(folder: Path) -> list[str]:
    """Statements of a lake of two records, beside whose state lies what a commit leaves that another one beat."""
    lake = Lake.open(folder / "lake", create=True, settings=Settings.load(folder, environ={}))
    for number in range(2):
        (folder / f"{number}.log").write_text("2026-11-01T00:00:00Z INFO one\n")
        lake.ingest([folder / f"{number}.log"])
    now = Path(lake.stored()["logs"].metadata.removeprefix("file://"))
    before = next(now.parent.glob("00001-*.metadata.json"))
    now.with_name("00003-00000000-0000-4000-8000-000000000000.metadata.json").write_bytes(before.read_bytes())
    return statements(lake.stored(["logs"]), Wanted(database="pinned", pinned=True))


def syntax(lake: Lake, tables: LakeTables) -> list[str]:
    """Statements for servers that do not run here."""
    found = [text for wanted in CATALOG.values() for text in statements(lake.stored(), wanted)]
    for location in BUCKETS:
        there = stored(location, tables)
        found += statements(there, Wanted("tables")) + statements(there, Wanted()) + needed(there, Wanted())
        found += statements(there, Wanted(cluster="analytics")) + clickhouse_hot.tables("logshed", 7)
    return [f"EXPLAIN AST {text}" for text in found if not text.startswith("SET ")]


def test_clickhouse_answers_as_the_lake_does_and_takes_every_statement(
    lake_root: Path, tables: LakeTables, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")
    store = Store.open(lake_root, create=False)
    for table in (FOUND, CASES):
        store.table(table)  # makes it
    lake = Lake.open(lake_root, settings=Settings.load(tmp_path, environ={}))
    duckdb = [sql.format("").replace("old", "iceberg.analytics.logs") for sql in ASKED]
    expected = [[[str(value) for value in row] for row in lake.query(sql).rows()] for sql in duckdb]
    found, asked = pinned(tmp_path), ["SELECT count(*) FROM pinned.logs"]
    for database, wanted in (("by_views", Wanted()), ("by_tables", Wanted("tables"))):
        found += statements(lake.stored(), replace(wanted, database=database))
        for sql in ASKED:
            here = sql.replace("{}old", "iceberg.`analytics.logs`").format(f"{database}.")
            asked.append(here.replace("epoch_us(", "toUnixTimestamp64Micro("))
    count, *told = answers(tmp_path_factory.getbasetemp(), found, [*asked, *syntax(lake, tables)])
    assert count == [[2]], "a pinned view reads the state that the catalog names"
    for place, rows in enumerate(told[: 2 * len(ASKED)]):
        texts = [[str(value) for value in row] for row in rows]
        assert texts == expected[place % len(ASKED)], asked[place + 1]
    assert all(told[2 * len(ASKED) :])


@pytest.mark.parametrize("location", BUCKETS)
def test_a_bucket_is_read_by_a_named_collection_that_someone_else_fills(location: str, tables: LakeTables) -> None:
    source, given = BUCKETS[location]
    there = stored(location, tables)
    assert any(source in text for text in statements(there, Wanted()))
    assert any(source.replace("iceberg", "Iceberg", 1) in text for text in statements(there, Wanted("tables")))
    assert needed(there, Wanted()) == [f"CREATE NAMED COLLECTION logshed_lake AS {given}"]


def test_another_s3_server_is_named_by_its_address(tables: LakeTables) -> None:
    (told,) = needed(stored("s3://logs/lake", tables), Wanted(), "https://minio.example.org:9000/")
    assert "url = 'https://minio.example.org:9000/logs/'" in told


def test_a_catalog_is_a_database_of_its_tables(tables: LakeTables) -> None:
    there = stored("s3://logs/lake", tables)
    rest, glue = (statements(there, wanted) for wanted in CATALOG.values())
    assert "SET allow_database_iceberg = 1" in rest
    assert any(
        "DataLakeCatalog('https://catalog.example.org/iceberg') SETTINGS catalog_type = 'rest'" in t for t in rest
    )
    assert any("warehouse = 'it\\'s', catalog_credential = '<client>:<secret>'" in text for text in rest)
    assert any("DataLakeCatalog SETTINGS catalog_type = 'glue', region = 'eu-west-1'" in text for text in glue)
    assert any('FROM iceberg_tables."silver.logs"' in text for text in rest)
    assert needed(there, CATALOG["rest"]) == []


@pytest.mark.parametrize(
    ("location", "wanted", "message"),
    [
        ("hdfs://host/lake", Wanted(), "it reads file, s3, gs and abfss; move the warehouse"),
        ("file:///srv/{a}/lake", Wanted(), "it holds one of"),
        ("s3://logs/lake", Wanted("catalog", catalog="hive"), "ClickHouse does not know it; take --as views or"),
        ("s3://logs/lake", Wanted("catalog"), "its address is missing; give --uri"),
    ],
)
def test_what_clickhouse_cannot_read_is_refused(
    location: str, wanted: Wanted, message: str, tables: LakeTables
) -> None:
    with pytest.raises(UsageError, match=message):
        statements(stored(location, tables), wanted)


def test_a_path_with_quotes_stays_a_text(tables: LakeTables) -> None:
    there = stored("file:///srv/it's\\lake", tables)
    for way, source in (("views", "icebergLocal"), ("tables", "IcebergLocal")):
        found = statements(there, Wanted(way))  # type: ignore[arg-type]
        assert any(f"{source}('/srv/it\\'s\\\\lake/')" in text for text in found)
