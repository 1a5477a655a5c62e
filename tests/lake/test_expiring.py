"""Expiry and the removal of what nothing names: never anything that someone reads or is about to commit."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.lake.test_compacting import SOURCE, compacted, files_of, put_lines, rows

from logshed.errors import LakeError
from logshed.lake import ledger as ledgers
from logshed.lake import steps
from logshed.lake.checksums import Checksums
from logshed.lake.commit import append_files
from logshed.lake.expiring import Removed, expire, ledger_orphans, merge_manifests, orphans
from logshed.lake.ledger import Ledger
from logshed.lake.named import tables
from logshed.lake.names import LINES
from logshed.lake.store import Store

if TYPE_CHECKING:
    from tests.lake.writer import Writer

DAY_S = 24 * 3600.0
NAME = LINES.name


def age(root: Path, seconds: float) -> None:
    """Let every file look as if it had been written so long ago."""
    then = time.time() - seconds
    for path in root.rglob("*"):
        os.utime(path, (then, then))


def lying(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file() and path.name != "catalog.db"}


@pytest.fixture
def filled(store: Store, writer: Writer) -> Store:
    """Five ingests, compacted."""
    for number in range(5):
        put_lines(store, writer, number)
    compacted(store, LINES)
    return store


def test_expiry_forgets_all_but_the_current_state_and_removes_what_only_the_others_named(filled: Store) -> None:
    before, old = rows(filled, LINES), list(Path(filled.root).rglob("data/**/*.parquet"))
    done = expire(filled, NAME, 0, dry=False)
    assert done.snapshots == 5
    assert len(filled.table(LINES).metadata.snapshots) == 1
    assert files_of(filled, LINES) == [str(path) for path in old if path.exists()]
    assert rows(filled, LINES).equals(before)
    assert filled.table(LINES).scan().to_arrow().num_rows == 50
    assert expire(filled, NAME, 0, dry=False) == Removed()


def test_a_state_stays_until_another_has_followed_it_for_the_grace_period(filled: Store) -> None:
    assert expire(filled, NAME, DAY_S, dry=False) == Removed()
    assert len(filled.table(LINES).metadata.snapshots) == 6


def test_a_dry_run_says_what_would_go_and_removes_nothing(filled: Store) -> None:
    before = lying(filled.root)
    told = expire(filled, NAME, 0, dry=True)
    orphans(filled, NAME, 0, dry=True)
    ledger_orphans(filled, 0, dry=True)
    assert merge_manifests(filled, NAME, dry=True)
    assert lying(filled.root) == before
    assert expire(filled, NAME, 0, dry=False) == told


def test_files_replaced_now_are_young_however_old_their_rows_are(store: Store, writer: Writer) -> None:
    for number in range(5):
        put_lines(store, writer, number)
    planned = files_of(store, LINES)
    age(store.root, 3 * DAY_S)
    compacted(store, LINES)
    store.table(LINES).maintenance.expire_snapshots().by_ids(
        [one.snapshot_id for one in store.table(LINES).metadata.snapshots[:-1]]
    ).commit()
    orphans(store, NAME, DAY_S, dry=False)
    assert all(Path(path).exists() for path in planned)
    age(store.root, 2 * DAY_S)
    assert orphans(store, NAME, DAY_S, dry=False).files >= 5
    assert not any(Path(path).exists() for path in planned)
    assert rows(store, LINES).height == 50


def test_files_of_a_writer_that_has_not_committed_yet_stay(store: Store, writer: Writer) -> None:
    put_lines(store, writer, 0)
    work = writer.lines("01000000-0000-7000-8000-000000000001", SOURCE, 10, 20)
    (running,) = work.data_files
    age(store.root, 11 * 3600)
    assert orphans(store, NAME, DAY_S, dry=False) == Removed(kept=1)
    assert Path(running.path).exists()


def test_what_an_interrupted_run_left_goes_once_it_is_old(store: Store, writer: Writer) -> None:
    put_lines(store, writer, 0)
    writer.lines("01000000-0000-7000-8000-000000000001", SOURCE, 10, 20)
    folder = Path(files_of(store, LINES)[0]).parents[2] / "metadata"
    (folder / "00001-00000000-0000-0000-0000-000000000000.metadata.json").write_text("{}")
    (folder / "snap-1-0-00000000-0000-0000-0000-000000000000.avro").write_bytes(b"")
    age(store.root, 25 * 3600)
    before = rows(store, LINES)
    assert orphans(store, NAME, DAY_S, dry=False).files == 3
    assert rows(store, LINES).equals(before)
    assert store.table(LINES).scan().to_arrow().num_rows == 10
    assert orphans(store, NAME, DAY_S, dry=False) == Removed()


def test_of_the_ledger_only_the_newest_root_and_what_it_names_stays(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "FOLD_AFTER", 3)
    for number in range(7):
        put_lines(store, writer, number)
    foreign = Path(store.ledger_folder()) / "notes.txt"
    foreign.write_text("mine")
    assert ledger_orphans(store, DAY_S, dry=False).files == 0
    before = Ledger.of(store.table(LINES)).scan().collect()
    age(store.root, 2 * DAY_S)
    assert ledger_orphans(store, DAY_S, dry=False).files > 6
    assert Ledger.of(store.table(LINES)).scan().collect().equals(before)
    ledger = Ledger.of(store.table(LINES))
    sums = Checksums.of(store.table(LINES))
    assert sums is not None
    assert len(list(Path(store.ledger_folder()).iterdir())) == 3 + len(ledger.files()) + len(sums.files())
    put_lines(store, writer, 7)
    assert ledger.scan().collect().height == 7


def test_a_ledger_that_was_old_when_it_was_replaced_can_be_read_on(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "FOLD_AFTER", 3)
    for number in range(2):
        put_lines(store, writer, number)
    held = Ledger.of(store.table(LINES))
    age(store.root, 3 * DAY_S)
    put_lines(store, writer, 2)
    assert Ledger.of(store.table(LINES)).base
    ledger_orphans(store, DAY_S, dry=False)
    assert held.scan().collect().height == 2


def test_a_ledger_entry_of_another_writer_survives_an_expiry(
    filled: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = [5]

    def passed(name: str) -> None:
        if name == "before expire commit" and waiting:
            put_lines(Store.open(filled.root, create=False), writer, waiting.pop())

    monkeypatch.setattr(steps, "passed", passed)
    assert expire(filled, NAME, 0, dry=False).snapshots >= 5
    assert Ledger.of(filled.table(LINES)).ends([SOURCE]) == {(SOURCE, "g"): 60}
    assert rows(filled, LINES)["offset"].sort().to_list() == list(range(60))


def test_manifests_become_one_and_the_rows_and_the_settings_stay(store: Store, writer: Writer) -> None:
    for number in range(6):
        put_lines(store, writer, number)
    before, properties = rows(store, LINES), dict(store.table(LINES).properties)
    assert merge_manifests(store, NAME, dry=False) == (6, 1)
    assert merge_manifests(store, NAME, dry=False) == (1, 1)
    assert rows(store, LINES).equals(before)
    assert store.table(LINES).properties == properties


def test_an_ingest_beside_the_merging_keeps_rows_and_ledger(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        put_lines(store, writer, number)
    waiting = [6]

    def passed(name: str) -> None:
        if name == "before rewrite-manifests commit" and waiting:
            put_lines(Store.open(store.root, create=False), writer, waiting.pop())

    monkeypatch.setattr(steps, "passed", passed)
    before, after = merge_manifests(store, NAME, dry=False)
    assert after < before
    assert rows(store, LINES)["offset"].sort().to_list() == list(range(70))
    assert Ledger.of(store.table(LINES)).ends([SOURCE]) == {(SOURCE, "g"): 70}


def test_a_catalog_older_than_the_tables_stops_the_removal(store: Store, writer: Writer) -> None:
    put_lines(store, writer, 0)
    old = (store.root / "catalog.db").read_bytes()
    for number in range(1, 4):
        put_lines(store, writer, number)
    (store.root / "catalog.db").write_bytes(old)
    age(store.root, 3 * DAY_S)
    before = lying(store.root)
    with pytest.raises(LakeError, match="its catalog is older than its metadata"):
        orphans(Store.open(store.root, create=False), NAME, DAY_S, dry=False)
    assert lying(store.root) == before


def test_a_table_with_a_missing_manifest_loses_nothing_more(store: Store, writer: Writer) -> None:
    for number in range(3):
        put_lines(store, writer, number)
    snapshot = store.table(LINES).current_snapshot()
    assert snapshot is not None
    Path(snapshot.manifest_list.removeprefix("file://")).unlink()
    age(store.root, 3 * DAY_S)
    before = lying(store.root)
    with pytest.raises(LakeError, match="a manifest that the table names is missing"):
        orphans(store, NAME, DAY_S, dry=False)
    with pytest.raises(LakeError, match="a manifest is missing"):
        expire(store, NAME, 0, dry=False)
    assert lying(store.root) == before


def test_every_table_of_the_catalog_is_looked_at(store: Store) -> None:
    assert list(tables(store)) == ["bronze.lines", "silver.logs"]


def test_manifests_are_merged_also_where_another_removes_older_states_at_once(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        put_lines(store, writer, number)
    other = Store.open(store.root, create=False)

    def passed(name: str) -> None:
        if name == "before rewrite-manifests commit":
            monkeypatch.setattr(steps, "passed", lambda _: None)
            append_files(other, other.table(LINES), [], {})
            assert expire(other, NAME, 0, dry=False).files

    monkeypatch.setattr(steps, "passed", passed)
    assert merge_manifests(store, NAME, dry=False) == (6, 1)
