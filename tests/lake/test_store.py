from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from logshed.errors import LakeError, NewerLakeError, NotALakeError
from logshed.lake.names import LOGS, MARKER, TABLES, TRAIL
from logshed.lake.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_lake_has_its_tables(store: Store) -> None:
    for table in TABLES.values():
        assert [field.name for field in store.table(table).schema().fields] == [column.name for column in table.columns]


def test_a_lake_opens_again(store: Store) -> None:
    again = Store.open(store.root, create=True)
    assert again.table(LOGS).metadata.table_uuid == store.table(LOGS).metadata.table_uuid


def test_a_missing_lake_is_told_with_the_way_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(NotALakeError, match=r"there is none; run `logshed ingest PATH --lake"):
        Store.open(tmp_path / "none", create=False)


@pytest.mark.parametrize("create", [True, False])
def test_a_folder_with_something_else_is_refused(tmp_path: Path, create: bool) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(NotALakeError, match="something else"):
        Store.open(tmp_path, create=create)
    assert [entry.name for entry in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_file_is_no_lake(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(NotALakeError, match="it is a file"):
        Store.open(path, create=True)


def test_a_newer_lake_is_refused(store: Store) -> None:
    (store.root / MARKER).write_text(json.dumps({"lake": "logshed", "version": 99}))
    with pytest.raises(NewerLakeError, match="upgrade Logshed"):
        Store.open(store.root, create=False)


def test_a_damaged_marker_is_refused(store: Store) -> None:
    (store.root / MARKER).write_text("{")
    with pytest.raises(NotALakeError, match="damaged"):
        Store.open(store.root, create=False)


def test_a_damaged_catalog_is_told(store: Store) -> None:
    (store.root / "catalog.db").write_bytes(b"no database, " * 1000)
    with pytest.raises(LakeError, match=r"cannot use .*catalog.db: it is damaged .*; restore it from a backup"):
        Store.open(store.root, create=False).table(LOGS)


def test_a_creation_that_was_interrupted_is_finished(store: Store) -> None:
    (store.root / MARKER).unlink()
    with pytest.raises(NotALakeError):
        Store.open(store.root, create=False)
    assert Store.open(store.root, create=True).table(LOGS).metadata.table_uuid == store.table(LOGS).metadata.table_uuid


def test_several_that_make_a_table_and_its_namespace_at_once_get_the_same(tmp_path: Path) -> None:
    for number in range(10):  # before it was mended, two of three times one of them failed
        root = tmp_path / f"lake{number}"
        Store.open(root, create=True)
        stores = [Store.open(root, create=False) for _ in range(4)]
        assert all(store.catalog for store in stores), "open, so that they meet"
        start = Barrier(4)

        def made(store: Store, start: Barrier = start) -> str:
            start.wait(30)
            return str(store.to_write(TRAIL).metadata.table_uuid)

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(made, stores))) == 1


def test_a_lake_that_was_moved_is_refused_and_a_link_to_it_is_not(store: Store) -> None:
    moved = store.root.rename(store.root.with_name("moved"))
    with pytest.raises(LakeError, match="move it back, or link"):
        Store.open(moved, create=False)
    store.root.symlink_to(moved)
    Store.open(store.root, create=False)
