"""A copy of the newest days in ClickHouse's own tables: each record once, whatever was ended halfway."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logshed.api import Lake
from logshed.errors import UsageError
from logshed.settings import Settings
from logshed.sql import clickhouse_hot
from logshed.sql.clickhouse_ddl import Wanted, statements
from logshed.sql.tables import Stored

SCRIPT = Path(__file__).with_name("ddl_on_chdb.py")
PAGE = Path(__file__).parent.parent.parent / "docs" / "clickhouse.md"
DAYS = 7
BATCHES: list[list[float]] = [[0.01, 30, 2, 6.5], [40, 50], [0.001, 3, 90]]
"""How many days old the records of each batch are."""
ASKED = [
    "SELECT count(), uniqExact(record_id), sum(http_response_status_code) FROM {}",
    "SELECT record_id, timestamp, service_name, url_path, attributes['a'], batch FROM {} ORDER BY record_id",
    "SELECT service_name, toDate(timestamp, 'UTC') AS d, count() FROM {} GROUP BY 1, 2 ORDER BY 1, 2",
]
SETTINGS = "SELECT name FROM system.settings UNION ALL SELECT name FROM system.server_settings"
FUNCTIONS = "SELECT name FROM system.table_functions"


def rows(first: int, ages: list[float]) -> str:
    """Records that are so many days old, of two services, with numbers from ``first`` on."""
    now = datetime.now(UTC)
    told = (
        {
            "timestamp": (now - timedelta(days=age)).isoformat(),
            "service": f"s{number % 2}",
            "message": f"GET /{number}",
            "http.response.status_code": 200 + number,
            "a": str(number),
        }
        for number, age in enumerate(ages, first)
    )
    return "".join(json.dumps(row) + "\n" for row in told)


def test_every_record_of_the_newest_days_is_copied_once_though_runs_are_ended_halfway(tmp_path: Path) -> None:
    pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")
    lake = Lake.open(tmp_path / "lake", create=True, settings=Settings.load(tmp_path, environ={}))
    log, refresh = tmp_path / "app.log", clickhouse_hot.refresh("hot", DAYS)
    done: list[str] = []
    for number, ages in enumerate(BATCHES):
        with log.open("a") as file:
            file.write(rows(number * 4, ages))
        lake.ingest([log], format="json")
        done += statements(lake.stored(["logs"]), Wanted(database="hot", pinned=True))
        done += clickhouse_hot.tables("hot", DAYS)
        # what a run leaves that is ended while it puts records in, and one that is ended before it notes them
        done += [f"{refresh[1]} LIMIT 1", *refresh, *refresh[:2], refresh[0], *refresh]
    newest = f"(SELECT * FROM hot.logs WHERE timestamp >= now() - INTERVAL {DAYS} DAY)"
    asked = [sql.format(source) for sql in ASKED for source in ("hot.logs_hot", newest)]
    given = json.dumps({"statements": done, "asked": [*asked, SETTINGS, FUNCTIONS]})
    words = [sys.executable, str(SCRIPT)]
    ran = subprocess.run(words, input=given, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    *told, settings, functions = json.loads(ran.stdout)
    assert told[0][0][:2] == [5, 5]
    assert told[::2] == told[1::2]
    named = set(re.findall(r"^\| `([a-z0-9_]+)` \|", PAGE.read_text(), re.MULTILINE)) - {"views", "tables", "catalog"}
    assert len(named) > 5
    assert named <= {name for (name,) in settings}
    assert {"icebergS3Cluster", "icebergAzureCluster", "icebergLocalCluster"} <= {name for (name,) in functions}


@pytest.mark.parametrize("days", [0, -1, 91])
def test_a_copy_of_too_few_or_too_many_days_is_refused(days: int) -> None:
    with pytest.raises(UsageError, match="1 to 90 can be kept; give another --hot-days"):
        clickhouse_hot.tables("logshed", days)
    with pytest.raises(UsageError, match=f"cannot keep a copy of {days} days"):
        clickhouse_hot.refresh("logshed", days)


@pytest.mark.parametrize(
    ("location", "source"),
    [
        ("s3://logs/lake", "icebergS3Cluster('it\\'s', logshed_lake, filename = 'lake/')"),
        ("abfss://b@a.dfs.core.windows.net/lake", "icebergAzureCluster('it\\'s', logshed_lake, blob_path = 'lake/')"),
        ("file:///srv/lake", "icebergLocalCluster('it\\'s', '/srv/lake/')"),
    ],
)
def test_servers_of_a_cluster_read_together(location: str, source: str) -> None:
    there = {"lines": Stored("bronze.lines", location, [])}
    assert any(source in text for text in statements(there, Wanted(cluster="it's")))
