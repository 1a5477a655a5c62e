"""Upkeep, retention, erasure, promotion and reparse one after the other, and beside each other, on one lake."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from logshed.api import Lake
from logshed.lake import steps
from logshed.lake.names import LINES, LOGS
from logshed.lake.scan import iceberg_files, paths
from logshed.pipeline.retaining import retain
from logshed.retain_settings import Retain
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

TEAMS = ("red", "blue", "gold")
ROUTED = "[[transform]]\nname = 'payments'\nwhere = 'severity_number >= 17'\nroute = 'pay'\n"
BY_TEAM = "SELECT attributes['team.name'], count(*) FROM logs WHERE collection = '{}' GROUP BY 1 ORDER BY 1"


def told(first: int, count: int = 12) -> str:
    """Records of three teams in turn; every other one is a payment."""
    rows = (
        {
            "timestamp": f"2026-11-01T10:00:{number % 60:02d}Z",
            "level": "error" if number % 2 else "info",
            "message": f"step {number}",
            "team.name": TEAMS[number % 3],
            "pay": "true" if number % 2 else "false",
        }
        for number in range(first, first + count)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def opened(root: Path) -> Lake:
    return Lake.open(root, create=True, settings=Settings.load(root.parent, environ={}))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five ingests of records of two collections, each a batch of both, and one with a format that takes none."""
    folder = tmp_path_factory.mktemp("turns")
    (folder / "logshed.toml").write_text(ROUTED)
    lake = opened(folder / "lake")
    for number in range(5):
        with (folder / "app.log").open("a") as file:
            file.write(told(number * 12))
        lake.ingest([folder / "app.log"], format="json")
    (folder / "late.log").write_text(told(60))
    lake.ingest([folder / "late.log"], format="syslog_rfc5424", collection="pay")
    shutil.copytree(folder / "lake", folder / "kept")
    return folder


@pytest.fixture
def lake(template: Path) -> Lake:
    """That lake, as new."""
    shutil.rmtree(template / "lake")
    shutil.copytree(template / "kept", template / "lake")
    return opened(template / "lake")


def teams(lake: Lake, collection: str) -> dict[Any, int]:
    return dict(lake.query(BY_TEAM.format(collection)).rows())


def held(lake: Lake, text: str) -> list[str]:
    """Data files anywhere in the lake's folder that hold a text."""
    found = Path(lake.root).rglob("*.parquet")
    return [str(path) for path in found if path.exists() and text in str(pl.read_parquet(path).rows())]


def files(lake: Lake) -> list[str]:
    store = lake._opened()
    return [path for table in (LINES, LOGS) for path in paths(iceberg_files(store.table(table)))]


def old(lake: Lake, days: int, spans: dict[str, Any]) -> int:
    """Take away what is old in so many days."""
    now = datetime.now(UTC) + timedelta(days=days)
    kept = Retain.model_validate(spans)
    return sum(retain(lake._opened(), name, kept, dry=False, now=now).rows for name in (LINES.name, LOGS.name))


def whole(root: Path) -> Lake:
    """The lake, once its counts add up and its files are what was committed."""
    lake = opened(root)
    assert lake.audit().ok, lake.audit().as_dict()
    found = lake.verify()
    assert (found.problems, found.unknown) == ((), 0)
    return lake


def test_the_lake_is_whole_after_each_verb_and_each_takes_what_the_others_left(lake: Lake) -> None:
    root = lake.root
    unparsed = {None: 12}
    every = {"red": 10, "blue": 10, "gold": 10}
    assert (teams(lake, "default"), teams(lake, "pay")) == (every, every | unparsed)
    lake.maintain(["compact"])
    lake = whole(root)
    assert [Path(path).name[:8] for path in files(lake)] == ["compact-"] * 2
    assert (teams(lake, "default"), teams(lake, "pay")) == (every, every | unparsed)

    assert old(lake, 8, {"collection": {"pay": {"bronze": "1y"}}}) == 30, "lines of the other collection are gone"
    lake = whole(root)
    assert lake.query("SELECT collection, count(*) FROM lines GROUP BY 1").rows() == [("pay", 42)]

    assert lake.erase(column="team.name", value="red").rows == {LINES.name: 10, LOGS.name: 20}
    lake = whole(root)
    left = {"blue": 10, "gold": 10}
    assert (teams(lake, "default"), teams(lake, "pay")) == (left, left | unparsed)

    assert (told := lake.promote("team.name", name="team")).records == 40
    assert told.fit == 40
    lake = whole(root)
    by_column = "SELECT team, count(*) FROM logs WHERE team IS NOT NULL GROUP BY 1 ORDER BY 1"
    assert lake.query(by_column).rows() == [("blue", 20), ("gold", 20)]

    (done,) = lake.reparse("all")
    assert (done.rows, done.errors) == ([32, 32], [12, 0])
    lake = whole(root)
    assert teams(lake, "default") == left, "records whose lines are gone stay as they are"
    assert teams(lake, "pay") == {"red": 4, "blue": 14, "gold": 14}
    assert [path for path in files(lake) if "reparse-" in path and "team" in pq.read_schema(path).names]

    would = lake.erase(column="team", value="gold", dry_run=True)
    done_rows = lake.erase(column="team", value="gold").rows
    assert would.rows == done_rows == {LINES.name: 14, LOGS.name: 24}, "in files with the column and without it"
    lake = whole(root)
    assert lake.query(by_column).rows() == [("blue", 24), ("red", 4)]
    assert lake.promote("pay", "bool").fit == 28
    lake.maintain(["compact", "expire"])
    assert old(whole(root), 400, {"silver": "forever"}) == 18
    lake = whole(root)
    assert lake.query("SELECT pay, count(*) FROM logs GROUP BY 1 ORDER BY 1").rows() == [(False, 14), (True, 14)]
    assert lake.reparse("all") == [], "nothing is left to read"
    assert (teams(lake, "default"), teams(lake, "pay")) == ({"blue": 10}, {"red": 4, "blue": 14})


def test_what_goes_while_a_reparse_is_at_work_does_not_come_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lake.root
    spans = {"collection": {"pay": {"bronze": "1y", "silver": "1y"}}}
    beside: dict[tuple[str, int], Callable[[Lake], object]] = {
        ("before reparse commit", 1): lambda other: other.erase(column="team.name", value="red", anywhere=True),
        ("after reparse commit", 2): lambda other: old(other, 100, spans),
        ("after reparse of silver.logs", 4): lambda other: other.erase(column="team.name", value="blue", anywhere=True),
    }
    begun, went = [0], []

    def passed(name: str) -> None:
        begun[0] += name == "before reparse commit"
        if then := beside.pop((name, begun[0]), None):
            monkeypatch.setattr(steps, "passed", lambda _: None)
            went.append(then(opened(root)))
            monkeypatch.setattr(steps, "passed", passed)

    monkeypatch.setattr(steps, "passed", passed)
    lake.reparse("all")
    monkeypatch.undo()
    assert (len(went), beside) == (3, {})
    lake = whole(root)
    assert (teams(lake, "default"), teams(lake, "pay")) == ({}, {"gold": 14})
    assert held(lake, "red") == held(lake, "blue") == []
