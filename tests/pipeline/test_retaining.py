"""Rows that were kept long enough go, whole files where it can be; everything stays accounted for."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from tests.pipeline.samples import accesses
from tests.pipeline.test_maintain import ROOT, environment, opened, whole

from logshed.errors import SettingsError
from logshed.lake.names import FOUND, LINES, LOGS, TRAIL
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.steps import RETAIN_STEPS
from logshed.pipeline.retaining import retain
from logshed.retain_settings import Layer, Retain
from logshed.settings import Settings

if TYPE_CHECKING:
    from tests.started import Starter

    from logshed.api import Lake

SPANS = {"collection": {"pay": {"bronze": "1y", "silver": "forever"}}}
"""What is kept of one collection for longer."""


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with two collections in the same compacted files, and one file of its own; gold tables, no findings."""
    folder = tmp_path_factory.mktemp("retain")
    lake = opened(folder / "lake", create=True)
    for number in range(3):
        for place, collection in enumerate(("shop", "pay")):
            with (folder / f"{collection}.log").open("a") as file:
                file.write(accesses(number * 20 + place * 1000, number * 20 + place * 1000 + 20) + "nothing known\n")
            lake.ingest([folder / f"{collection}.log"], collection=collection, format="apache_combined")
    lake.aggregate(["traffic_hourly"])
    lake.maintain(["compact"])
    with (folder / "shop.log").open("a") as file:
        file.write(accesses(5000, 5010))
    lake.ingest([folder / "shop.log"], collection="shop", format="apache_combined")
    shutil.copytree(folder / "lake", folder / "kept")
    return folder


@pytest.fixture
def lake(template: Path) -> Lake:
    """That lake, as new."""
    root = template / "lake"
    shutil.rmtree(root)
    shutil.copytree(template / "kept", root)
    return opened(root)


def counts(lake: Lake, table: str) -> dict[str, int]:
    return dict(lake.query(f"SELECT collection, count(*) FROM {table} GROUP BY 1").rows())


def gone(lake: Lake, name: str, days: float, spans: dict[str, Any] | None = None, *, dry: bool = False) -> Any:
    return retain(lake._opened(), name, Retain.model_validate(spans or {}), dry=dry, now=later(days))


def test_old_rows_go_by_when_they_were_read_and_the_ledger_accounts_for_them(lake: Lake, template: Path) -> None:
    before = counts(lake, "lines")
    assert before == {"shop": 73, "pay": 63}
    assert gone(lake, LINES.name, 6.9).rows == 0, "an archive of years ago stays for as long as anything else"
    told = gone(lake, LINES.name, 8, SPANS, dry=True)
    did = gone(lake, LINES.name, 8, SPANS)
    assert (did.rows, did.files, did.dropped) == (told.rows, told.files, told.dropped) == (73, 2, 1)
    again = opened(lake.root)
    assert counts(again, "lines") == {"pay": 63}
    assert counts(again, "logs") == before
    assert gone(again, LINES.name, 8, SPANS).rows == 0
    report = again.audit()
    assert report.ok, report.as_dict()
    assert {row.source.rsplit("/", 1)[-1]: (row.dropped, row.rejected) for row in report.sources} == {
        "shop.log": (73, 0),
        "pay.log": (0, 3),
    }
    assert again.ingest([template / "shop.log", template / "pay.log"]).totals.read == 0, "sources stay known"
    assert not again.verify().problems


def test_rows_that_silver_has_not_taken_stay_in_bronze(lake: Lake, template: Path) -> None:
    store = lake._opened()
    files = paths(iceberg_files(store.table(LOGS)))
    store.catalog.drop_table(LOGS.name)
    store._create_table(LOGS)
    assert files
    assert gone(lake, LINES.name, 30).rows == 0
    fresh = opened(lake.root)
    fresh.ingest([template / "pay.log"])
    assert sum(counts(fresh, "logs").values()) == 136
    assert gone(fresh, LINES.name, 30).rows == 136
    assert whole(opened(lake.root))


def test_gold_stays_as_it_was_where_its_records_are_gone_and_goes_by_when_it_was_computed(
    lake: Lake, template: Path
) -> None:
    gold = lake.query("SELECT sum(requests) FROM traffic_hourly").rows()
    assert gone(lake, "gold.traffic_hourly", 300).rows == 0, "its events are of another year"
    assert gone(lake, LOGS.name, 100, SPANS).rows == 73
    with (template / "pay.log").open("a") as file:
        file.write(accesses(9000, 9001))
    fresh = opened(lake.root)
    fresh.ingest([template / "pay.log"], collection="pay")
    (done,) = fresh.aggregate(["traffic_hourly"])
    assert (done.days, done.error) == (0, "")
    assert fresh.query("SELECT sum(requests) FROM traffic_hourly").rows() == gold
    assert whole(fresh)
    did = gone(fresh, "gold.traffic_hourly", 370, {"collection": {"pay": {"gold": "forever"}}})
    assert did.rows
    assert set(counts(opened(lake.root), "traffic_hourly")) == {"pay"}


def test_the_audit_trail_is_shortened_at_its_beginning_and_stays_a_chain(lake: Lake) -> None:
    for _ in range(2):
        lake.maintain(["compact"])
    before = lake.query("SELECT count(*) FROM audit").rows()[0][0]
    assert gone(lake, TRAIL.name, 300).rows == 0
    assert gone(lake, TRAIL.name, 370).rows == before
    lake.maintain(["compact"])
    fresh = opened(lake.root)
    ((first, count),) = fresh.query("SELECT min(sequence), count(*) FROM audit").rows()
    assert (first, count) == (before + 1, 1)
    assert whole(fresh)
    assert not fresh.verify().problems


def test_runs_killed_one_after_the_other_lose_nothing_else_and_the_last_one_finishes(
    lake: Lake, starter: Starter, tmp_path: Path
) -> None:
    spans = Retain.model_validate(SPANS)
    told = tmp_path / "told"
    for step in RETAIN_STEPS:
        with told.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), output.fileno(), output.fileno()]
            words = [str(lake.root), step, later(100).isoformat(), spans.model_dump_json(exclude_unset=True)]
            killed = starter.start(words, ROOT, environment(tmp_path), files, module="tests.pipeline.killed_retain")
            assert killed.wait(60) == -signal.SIGKILL, (step, told.read_text())
        assert whole(opened(lake.root)), step
    for name in (LINES.name, LOGS.name):
        gone(opened(lake.root), name, 100, SPANS)
    again = opened(lake.root)
    assert counts(again, "lines") == counts(again, "logs") == {"pay": 63}
    assert whole(again)
    again.maintain(["expire", "orphans"], grace="0h", alone=True)
    for table in (LINES, LOGS):
        named = paths(iceberg_files(again._opened().table(table)))
        assert sorted(str(one) for one in Path(named[0]).parents[1].rglob("*.parquet")) == named


def test_spans_are_read_from_settings_and_wrong_ones_are_told(tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text(
        '[retain]\nsilver = "12w"\naudit = "forever"\n[retain.collection.pay]\ngold = "2y"\n'
    )
    found = Settings.load(tmp_path, environ={"LOGSHED_RETAIN_BRONZE": "1"}).retain
    assert (found.bronze, found.silver, found.audit, found.findings) == (1, 84, None, 365)
    assert found.days("gold") == (365, {"pay": 730})
    (tmp_path / "logshed.toml").write_text('[retain]\nsilver = "soon"\n')
    with pytest.raises(
        SettingsError, match=r"retain\.silver: 'soon' is no span of a day or more; write one such as 7d"
    ):
        Settings.load(tmp_path, environ={})


def test_all_is_kept_where_it_is_switched_off_whatever_else_is_set(tmp_path: Path) -> None:
    off = {"LOGSHED_RETAIN_ENABLED": "false"}
    for text, environ in (("retain = false\n", {}), ("[retain]\nenabled = false\n", {}), ("", off)):
        (tmp_path / "logshed.toml").write_text(text)
        for more in ({}, {"LOGSHED_RETAIN_BRONZE": "7d"}):
            found = Settings.load(tmp_path, environ={**environ, **more}).retain
            assert [layer for layer in get_args(Layer) if found.days(layer) != (None, {})] == [], (text, more)
    (tmp_path / "logshed.toml").write_text("[retain]\nbronze = false\n")
    found = Settings.load(tmp_path, environ={}).retain
    assert (found.bronze, found.silver) == (None, 90)
    (tmp_path / "logshed.toml").write_text("[retain]\nbronze = 0\n")
    with pytest.raises(SettingsError, match=r"retain\.bronze: 0 is no span of a day or more"):
        Settings.load(tmp_path, environ={})


def test_a_run_of_upkeep_takes_nothing_that_is_young(lake: Lake) -> None:
    did = {(one.task, one.table): one for one in lake.maintain() if not one.idle}
    assert not [key for key in did if key[0] == "retain"]
    assert not lake._opened().has(FOUND)
