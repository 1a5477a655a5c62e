"""Questions and gold tables over lakes in a cloud, whose catalog is a database or a REST server, on both engines."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from tests.oracle.lake import ASKED as ANYWHERE
from tests.queries import sample_lake
from tests.queries.test_answers import QUESTIONS, bound, plain
from tests.queries.test_gold import SPAN, same
from tests.storages import BUCKET, KEY, S3, SECRET, Postgres, Rest

from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.queries.gold import load
from logshed.settings import Settings
from logshed.sql import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")

OLDER = """
SELECT level, http_status, is_error, count(*) AS n, sum(response_size) AS bytes, max(partition_date) AS last
FROM iceberg.analytics.logs WHERE timestamp >= '2024-04-10' GROUP BY ALL ORDER BY ALL
"""
Statement = tuple[str, dict[str, Any]]
OWN = {"silver": "logs", "security": "findings"}
STATEMENTS: dict[str, Statement] = {
    **{name: (one.sql, bound(name, {"since": "all", "values": {}})) for name, one in QUESTIONS.items()},
    **{f"gold.{name}": (one.sql, one.bind(*SPAN)) for name, one in load().items()},
    "the older names": (OLDER, {}),
}
ALWAYS = ["findings_by_rule", "incidents_open", "the older names"]
SOME = {
    "postgres": [*ALWAYS, "gold.latency_hourly", *[name for name in STATEMENTS if name not in ALWAYS][::24]],
    "rest": ALWAYS,
}
"""What is asked each time: every table, and some of the list. `-m soak` asks all, which takes 36 s of CPU a lake."""


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[S3, dict[str, Store]]]:
    """An S3 server, and the lakes on it."""
    # Databases refuse to run as root, and pytest's own folder is shut to all others.
    with TemporaryDirectory(prefix="logshed-elsewhere-") as named, ExitStack() as running:
        folder = Path(named)
        folder.chmod(0o755)
        server = running.enter_context(S3(folder / "s3"))
        catalogs = {
            "postgres": running.enter_context(Postgres(folder / "postgres")).catalog("asked"),
            "rest": running.enter_context(Rest(folder / "rest", server)).catalog("asked"),
        }
        stores = {}
        for name, catalog in catalogs.items():
            settings = Settings.model_validate({"catalog": catalog, "storage": server.storage(name)})
            stores[name] = Store.open(folder / name / "machine", create=True, backing=settings.backing)
            sample_lake.fill(stores[name], sample_lake.records(), sample_lake.findings(), sample_lake.incidents())
        yield server, stores


def assert_same(store: Store, name: str) -> None:
    """Both engines answer a statement the same, in the same types."""
    sql, params = STATEMENTS[name]
    tables = LakeTables(lambda: store)
    ours, theirs = (connect(engine, tables).query(sql, params) for engine in ("duckdb", "clickhouse"))
    found, other = plain(ours.rows()), plain(theirs.rows())
    assert ours.columns == theirs.columns
    assert [str(field.type) for field in ours.schema] == [str(field.type) for field in theirs.schema]
    if name.startswith("gold."):  # they have no order
        found, other = sorted(found, key=repr), sorted(other, key=repr)
    assert len(found) == len(other)
    for one, two in zip(found, other, strict=True):
        assert all(map(same, one, two)), (one, two)


@pytest.mark.soak
@pytest.mark.parametrize("catalog", SOME)
def test_both_engines_answer_the_same_over_a_bucket(catalog: str, s3: tuple[S3, dict[str, Store]]) -> None:
    for name in SOME[catalog]:
        assert_same(s3[1][catalog], name)


@pytest.mark.soak
@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("catalog", SOME)
def test_both_engines_answer_every_question_over_a_bucket(
    catalog: str, name: str, s3: tuple[S3, dict[str, Store]]
) -> None:
    assert_same(s3[1][catalog], name)


@pytest.mark.soak
def test_clickhouse_reads_a_bucket_by_itself(s3: tuple[S3, dict[str, Store]]) -> None:
    from clickhouse_connect import get_client  # noqa: PLC0415 - an extra

    server, stores = s3
    store = stores["postgres"]
    rows = {short: store.load(f"{space}.{short}").scan().to_arrow().to_pylist() for space, short in OWN.items()}
    tables = {
        short: f"icebergS3('{server.url}/{BUCKET}/postgres/{space}/{short}', '{KEY}', '{SECRET}')"
        for space, short in OWN.items()
    }
    client = get_client(interface="chdb")
    for about in ("records a day", "first and last moment", "findings"):
        found = client.query(ANYWHERE[about].of("clickhouse", tables | dict.fromkeys(("lines", "traffic_hourly"), "")))
        assert [list(row) for row in found.result_rows] == ANYWHERE[about].slowly(rows)
