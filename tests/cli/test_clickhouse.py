"""``logshed clickhouse ddl`` prints statements for a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from logshed.cli.clickhouse import _catalog
from logshed.storage_settings import CatalogSettings

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


def test_statements_are_printed_for_people_and_for_programs(logshed: Run, lake: Path) -> None:
    done = logshed("clickhouse", "ddl", "--lake", lake)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(line.endswith(";") for line in lines)
    assert any(line.startswith('CREATE OR REPLACE VIEW iceberg."analytics.logs" AS ') for line in lines)
    words = ("--as", "tables", "--table", "lines", "--json")
    told = json.loads(logshed("clickhouse", "ddl", "--lake", lake, *words).stdout)
    assert told["needed"] == []
    assert f"ENGINE = IcebergLocal('{lake.resolve()}/warehouse/bronze/lines/')" in told["statements"][2]
    assert not any("silver" in text for text in told["statements"])


def test_a_table_that_is_none_and_a_name_that_is_none_are_refused(logshed: Run, lake: Path) -> None:
    refused = {("--table", "nothing"): "there is none; take lines, logs", ("--database", "a-b"): "take letters"}
    for words, message in refused.items():
        done = logshed("clickhouse", "ddl", "--lake", lake, *words)
        assert done.returncode == 2
        assert message in done.stderr


def test_a_catalog_that_clickhouse_does_not_know_is_refused_and_one_that_is_given_is_taken(
    logshed: Run, lake: Path
) -> None:
    done = logshed("clickhouse", "ddl", "--lake", lake, "--as", "catalog")
    assert done.returncode == 2
    assert "a catalog of kind sql: ClickHouse does not know it; take --as views or --as tables" in done.stderr
    given = logshed("clickhouse", "ddl", "--lake", lake, "--as", "catalog", "--uri", "https://catalog.example.org")
    assert "DataLakeCatalog('https://catalog.example.org') SETTINGS catalog_type = 'rest'" in given.stdout


@pytest.mark.parametrize(
    ("settings", "given", "found"),
    [
        ({"type": "rest", "uri": "https://ada:secret@host/v1?token=secret"}, (None, None), ("rest", "https://host/v1")),
        ({"type": "glue"}, (None, None), ("glue", "")),
        ({"type": "rest", "uri": "https://host/v1"}, ("glue", None), ("glue", "")),
        ({}, (None, "https://host"), ("rest", "https://host")),
    ],
)
def test_the_catalog_of_the_settings_is_named_without_secrets(
    settings: dict[str, str], given: tuple[str | None, str | None], found: tuple[str, str]
) -> None:
    assert _catalog(CatalogSettings.model_validate(settings), *given) == found


def test_a_copy_of_the_newest_days_is_printed_and_what_brings_it_up_to_date(logshed: Run, lake: Path) -> None:
    made = logshed("clickhouse", "ddl", "--lake", lake, "--hot-days", "7", "--database", "own").stdout.splitlines()
    assert made[-2].startswith('CREATE TABLE IF NOT EXISTS "own"."logs_hot" ENGINE = MergeTree')
    done = logshed("clickhouse", "ddl", "--hot-days", "7", "--database", "own", "--refresh")
    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["DELETE", "INSERT", "INSERT"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--refresh",), "how many days it has is missing; give --hot-days"),
        (("--hot-days", "7", "--table", "lines"), "it is one of logs; add --table logs"),
        (("--cluster", "a", "--as", "tables"), "only --as views can; leave --cluster out"),
        (("--cluster", "a'b"), "take letters, digits"),
    ],
)
def test_a_copy_and_a_cluster_that_cannot_be_are_refused(
    words: tuple[str, ...], message: str, logshed: Run, lake: Path
) -> None:
    done = logshed("clickhouse", "ddl", "--lake", lake, *words)
    assert done.returncode == 2
    assert message in done.stderr
