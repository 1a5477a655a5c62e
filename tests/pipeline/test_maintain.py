"""A lake that is maintained answers as before, whatever runs beside it and wherever it is interrupted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.lake.test_expiring import age, lying
from tests.lake.writer import NOW, Writer
from tests.pipeline.samples import accesses, java

from logshed.api import Lake
from logshed.errors import UsageError
from logshed.lake.batch import new_batch
from logshed.lake.commit import commit_follower
from logshed.lake.compact_plan import STEM, Sizes
from logshed.lake.names import LINES, LOGS
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.steps import UPKEEP_STEPS
from logshed.lake.store import Store
from logshed.pipeline.maintain import Maintain
from logshed.settings import Settings

if TYPE_CHECKING:
    import polars as pl
    from tests.started import Starter

ROOT = Path(__file__).parents[2]
EVERYTHING = {
    "logs": 'SELECT * FROM logs ORDER BY source, "offset", item',
    "lines": 'SELECT * FROM lines ORDER BY source, "offset"',
    "hours": "SELECT date_trunc('hour', timestamp) AS hour, collection, count(*), sum(http_response_body_size) "
    "FROM logs GROUP BY 1, 2 ORDER BY 1, 2",
    "ids": "SELECT record_id FROM logs ORDER BY 1",
    "needle": "SELECT count(*) FROM logs WHERE url_path LIKE '%/item/1%' "
    "AND timestamp >= TIMESTAMPTZ '2026-11-01 12:02:00+00'",
}
WRITING = """
import sys
from pathlib import Path
from tests.pipeline.samples import accesses
from logshed.api import Lake
from logshed.settings import Settings
root, log, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
lake = Lake.open(root, settings=Settings.load(root, environ={}))
for number in range(rounds):
    with log.open("a") as file:
        file.write(accesses(number * 100, number * 100 + 100))
    lake.ingest([str(log)])
"""
ROUNDS = 12


def opened(root: Path, *, create: bool = False) -> Lake:
    return Lake.open(root, create=create, settings=Settings.load(root.parent, environ={}))


def fill(lake: Lake, folder: Path, times: int = 6) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(times):
        with (folder / "access.log").open("a") as file:
            file.write(accesses(number * 40, number * 40 + 40))
        with (folder / "shop.log").open("a") as file:
            file.write("".join(java(one, frames=one % 3) for one in range(number * 20, number * 20 + 20)))
        lake.ingest([str(folder)])


def environment(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin", "HOME": str(folder)}


def answers(lake: Lake, engine: str) -> dict[str, pl.DataFrame]:
    return {name: lake.query(sql, engine=engine).pl() for name, sql in EVERYTHING.items()}  # type: ignore[arg-type]


def whole(lake: Lake) -> bool:
    return bool(lake.audit().as_dict()["ok"])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of six ingests, which stays as it is: tests put a copy of it in its place."""
    folder = tmp_path_factory.mktemp("upkeep")
    fill(opened(folder / "lake", create=True), folder / "logs")
    shutil.copytree(folder / "lake", folder / "kept")
    return folder


@pytest.fixture
def lake(template: Path) -> Lake:
    """That lake, as new."""
    root = template / "lake"
    shutil.rmtree(root)
    shutil.copytree(template / "kept", root)
    return opened(root)


def test_rows_ids_and_answers_are_the_same_afterwards_on_both_engines(lake: Lake) -> None:
    before = {engine: answers(lake, engine) for engine in ("duckdb", "clickhouse")}
    done = {(one.task, one.table): one for one in lake.maintain(grace="0h", alone=True)}
    assert (done["compact", "lines"].files, done["compact", "lines"].made) == (6, 1)
    assert (done["compact", "logs"].files, done["compact", "logs"].made) == (6, 1)
    assert done["expire", "logs"].snapshots > 0
    again = opened(lake.root)
    for engine, expected in before.items():
        for name, found in answers(again, engine).items():
            assert found.equals(expected[name]), (engine, name)
    assert whole(again)
    assert not [one for one in (lake.root / "warehouse/silver/logs/data").rglob("*.parquet") if STEM not in one.name]


def test_the_run_is_in_the_audit_trail(lake: Lake) -> None:
    lake.maintain(["compact"])
    ((verb, target, outcome, details),) = lake.query("SELECT verb, target, outcome, details FROM audit").rows()
    assert (verb, target, outcome) == ("maintain", "compact", "ok")
    assert [(one["table"], one["files"], one["made"]) for one in json.loads(details)["did"]] == [
        ("lines", 6, 1),
        ("logs", 6, 1),
    ]


def test_a_dry_run_says_what_a_run_would_do_and_changes_no_byte(lake: Lake) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in lying(lake.root)}
    told = {(one.task, one.table): one.files for one in lake.maintain(dry_run=True, grace="0h") if not one.idle}
    assert told["compact", "logs"] == 6
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in lying(lake.root)} == before
    did = {(one.task, one.table): one.files for one in lake.maintain(["compact"]) if not one.idle}
    assert did == {key: files for key, files in told.items() if key[0] == "compact"}


def test_with_nothing_left_to_do_every_task_is_idle(lake: Lake) -> None:
    lake.maintain()
    assert [one for one in lake.maintain() if not one.idle] == []


def test_an_empty_lake_can_be_maintained(tmp_path: Path) -> None:
    lake = opened(tmp_path / "lake", create=True)
    assert [one for one in lake.maintain() if not one.idle] == []
    assert whole(lake)


def test_the_next_ingest_the_findings_and_the_gold_tables_follow_a_compacted_lake(lake: Lake, template: Path) -> None:
    lake.aggregate(["traffic_hourly"])
    fill(lake, template / "more", times=5)
    lake.maintain(grace="0h", alone=True)
    (refreshed,) = lake.aggregate(["traffic_hourly"])
    assert (refreshed.days, refreshed.error) == (1, "")
    gold = lake.query("SELECT sum(requests) FROM traffic_hourly").rows()
    assert gold == lake.query("SELECT count(*) FROM logs WHERE http_request_method IS NOT NULL").rows()
    lake.maintain(grace="0h", alone=True)
    assert lake.query("SELECT sum(requests) FROM traffic_hourly").rows() == gold
    assert lake.aggregate(["traffic_hourly"], rebuild=True)
    assert lake.query("SELECT sum(requests) FROM traffic_hourly").rows() == gold
    assert whole(lake)


def test_every_line_of_an_ingest_beside_compaction_is_there_once(tmp_path: Path) -> None:
    lake = opened(tmp_path / "lake", create=True)
    words = [sys.executable, "-c", WRITING, str(lake.root), str(tmp_path / "access.log"), str(ROUNDS)]
    writer = subprocess.Popen(words, env=environment(tmp_path), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    settings, commits = Settings.load(tmp_path, environ={}), 0
    while writer.poll() is None:
        run = Maintain(Store.open(lake.root, create=False), settings, sizes=Sizes(least=2))
        commits += sum(one.commits for one in run.run())
    _, errors = writer.communicate()
    assert writer.returncode == 0, errors
    assert commits >= 2, "compaction ran beside the ingest"
    expected = ROUNDS * 100
    again = opened(lake.root)
    for table in ("lines", "logs"):
        found = again.query(f'SELECT count(*), count(DISTINCT "offset") FROM {table}').rows()
        assert found == [(expected, expected)], table
    assert whole(again)


@pytest.mark.parametrize("step", UPKEEP_STEPS)
def test_a_run_killed_at_a_step_loses_nothing_and_the_next_one_finishes_it(
    step: str, lake: Lake, starter: Starter, tmp_path: Path
) -> None:
    before = answers(lake, "duckdb")
    (lake.root / "ledger" / f"root-{'0' * 32}.json").write_text("{}")  # an orphan, so that there is one to remove
    told = tmp_path / "told"
    with told.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        files = [nothing.fileno(), output.fileno(), output.fileno()]
        words = [str(lake.root), step]
        killed = starter.start(words, ROOT, environment(tmp_path), files, module="tests.pipeline.killed_upkeep")
        assert killed.wait(60) == -signal.SIGKILL, told.read_text()
    assert whole(opened(lake.root))
    opened(lake.root).maintain(grace="0h", alone=True)
    again = opened(lake.root)
    for name, found in answers(again, "duckdb").items():
        assert found.equals(before[name]), name
    store = again._opened()
    for table in (LINES, LOGS):
        named = paths(iceberg_files(store.table(table)))
        assert len(named) == 1
        assert [str(one) for one in Path(named[0]).parents[1].rglob("*.parquet")] == named
    assert whole(again)


@pytest.mark.soak
def test_300_tiny_ingests_are_as_quick_to_ask_once_compacted_as_one(tmp_path: Path) -> None:
    stores = [Store.open(tmp_path / name, create=True) for name in ("many", "once")]
    rows = [NOW + (NOW - NOW.replace(hour=11, minute=59)) * number / 100 for number in range(6_000)]
    writer = Writer(stores[0])
    for number in range(300):
        batch = new_batch()
        part = rows[number * 20 : number * 20 + 20]
        commit_follower(stores[0], LOGS.short, batch, writer.logs(batch, part))
    batch = new_batch()
    commit_follower(stores[1], LOGS.short, batch, Writer(stores[1]).logs(batch, rows))
    before, _ = seconds(stores)
    opened(stores[0].root).maintain(["compact"])
    assert len(iceberg_files(stores[0].table(LOGS))) == 1
    compacted, once = seconds(stores)
    assert compacted <= once * 1.3 + 0.01, (before, compacted, once)
    assert compacted < before


def seconds(stores: list[Store]) -> list[float]:
    """Of the quickest of some looks at each, in turn: what else the machine does shall not count."""
    lakes = [opened(store.root) for store in stores]
    took: list[list[float]] = [[] for _ in lakes]
    for _ in range(20):
        for lake, times in zip(lakes, took, strict=True):
            begun = time.monotonic()
            assert lake.query("SELECT date_trunc('hour', timestamp), count(*) FROM logs GROUP BY 1").rows()
            times.append(time.monotonic() - begun)
    return [min(times) for times in took]


def test_orphans_younger_than_a_running_writer_may_be_are_refused(lake: Lake) -> None:
    with pytest.raises(UsageError, match="--grace 12h or more, or --alone"):
        lake.maintain(["orphans"], grace="1h")
    assert [one.files for one in lake.maintain(["orphans"], grace="1h", dry_run=True)] == [0, 0, 0]
    age(lake.root / "ledger", 13 * 3600)
    assert sum(one.files for one in lake.maintain(["orphans"], grace="12h", tables=["ledger"])) > 0
    assert whole(lake)


@pytest.mark.parametrize(
    ("words", "tables", "message"),
    [
        (["tidy"], [], "there is no such task; take retain, compact, rewrite-manifests, expire, orphans or all"),
        ([], ["nothing"], "there is no such table; take lines, logs, "),
    ],
)
def test_unknown_tasks_and_tables_are_told(words: list[str], tables: list[str], message: str, lake: Lake) -> None:
    with pytest.raises(UsageError, match=message):
        lake.maintain(words, tables=tables)


def test_only_the_tables_asked_for_are_touched(lake: Lake) -> None:
    done = lake.maintain(["compact"], tables=["logs"])
    assert [one.table for one in done] == ["logs"]
    assert len(iceberg_files(lake._opened().table(LINES))) == 6


def test_a_damaged_table_is_told_and_stops_no_other(lake: Lake) -> None:
    file = Path(paths(iceberg_files(lake._opened().table(LINES)))[0])
    file.write_bytes(b"rubbish")
    done = {one.table: one for one in lake.maintain(["compact"])}
    assert "restore it from a backup" in done["lines"].error
    assert (done["logs"].files, done["logs"].error) == (6, "")
    ((outcome,),) = lake.query("SELECT outcome FROM audit").rows()
    assert outcome == "failed"
