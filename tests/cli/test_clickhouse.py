"""``logshed clickhouse ddl`` prints statements for a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
