from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from logshed.errors import LakeError, NewerLakeError, NotALakeError
from logshed.lake import catalogs
from logshed.lake.commit import append_files
from logshed.lake.folder import write_atomically
from logshed.lake.names import LOGS, MARKER, TABLE_PROPERTIES, TABLES, TRAIL
from logshed.lake.store import Store
from logshed.storage_settings import Backing, CatalogSettings, StorageSettings

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


def test_a_creation_that_was_killed_while_it_wrote_the_marker_is_finished(tmp_path: Path) -> None:
    (tmp_path / f".{MARKER}.1").write_text('{"lake"')
    assert Store.open(tmp_path, create=True).names()


def test_a_lake_that_another_makes_after_it_was_looked_for_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Store._create

    def later(store: Store) -> None:
        monkeypatch.setattr(Store, "_create", create)
        other = Store.open(tmp_path, create=True)
        assert len(other.secret()) == 32, "a file that no creation leaves"
        create(store)

    monkeypatch.setattr(Store, "_create", later)
    assert Store.open(tmp_path, create=True).names()


def test_a_folder_in_which_another_writes_the_marker_is_made_for_a_lake_elsewhere(tmp_path: Path) -> None:
    catalog = CatalogSettings(type="sql", uri=SecretStr(f"sqlite:///{tmp_path}/catalog.db"))
    backing = Backing(catalog, StorageSettings(warehouse=f"file://{tmp_path}/warehouse"))
    made = Store.open(tmp_path / "machine", create=True, backing=backing)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / f".{MARKER}.1").write_text('{"lake"')
    assert Store.open(tmp_path / "other", create=False, backing=backing).secret() == made.secret()


def test_a_database_of_which_another_makes_table_after_table_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [OperationalError("CREATE TABLE", {}, Exception(f"table {name} already exists")) for name in "ab"]
    load = catalogs.load_catalog

    def loaded(*words: Any, **named: Any) -> Any:
        if made:
            raise made.pop()
        return load(*words, **named)

    monkeypatch.setattr(catalogs, "load_catalog", loaded)
    assert Store.open(tmp_path / "lake", create=True).names()


def test_a_table_that_others_change_often_while_it_is_loaded_is_loaded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.catalog._convert_orm_to_iceberg
    other = Store.open(store.root, create=False)

    def late(row: Any) -> Any:
        monkeypatch.setattr(store.catalog, "_convert_orm_to_iceberg", read)
        for _ in range(int(TABLE_PROPERTIES["write.metadata.previous-versions-max"]) + 2):
            append_files(other, other.table(LOGS), [], {})
        return read(row)

    monkeypatch.setattr(store.catalog, "_convert_orm_to_iceberg", late)
    assert store.table(LOGS).metadata_location == other.table(LOGS).metadata_location


def test_a_small_file_that_several_write_at_once_is_that_of_one(tmp_path: Path) -> None:
    for number in range(20):  # before it was mended, each time some failed
        path, start = tmp_path / str(number), Barrier(4)

        def written(text: str, path: Path = path, start: Barrier = start) -> None:
            start.wait(30)
            for _ in range(5):
                write_atomically(path, text * 1000)

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(written, "abcd")) == [None] * 4
        assert path.read_text() in {text * 1000 for text in "abcd"}
    assert len(list(tmp_path.iterdir())) == 20


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
