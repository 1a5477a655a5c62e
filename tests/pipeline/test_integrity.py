"""What was changed, is missing or was added since it was committed is found and named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from tests.pipeline.test_maintain import fill, opened

from logshed.lake.checksums import Checksums
from logshed.lake.names import FILES_PROPERTY, LINES, LOGS, TRAIL
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.writing import FileWriter

if TYPE_CHECKING:
    from logshed.api import Lake


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of three ingests, with two entries in its audit trail."""
    folder = tmp_path_factory.mktemp("integrity")
    lake = opened(folder / "lake", create=True)
    fill(lake, folder / "logs", times=3)
    for _ in range(2):
        lake.maintain(["orphans"], tables=["lines"])
    shutil.copytree(folder / "lake", folder / "kept")
    return folder


@pytest.fixture
def lake(template: Path) -> Lake:
    """That lake, as new."""
    root = template / "lake"
    shutil.rmtree(root)
    shutil.copytree(template / "kept", root)
    return opened(root)


def files(lake: Lake, table: object = LINES) -> list[Path]:
    return [Path(path) for path in paths(iceberg_files(lake._opened().table(table)))]  # type: ignore[arg-type]


def problems(lake: Lake) -> list[tuple[str, str]]:
    return [(one.kind, one.what) for one in opened(lake.root).verify().problems]


def test_a_whole_lake_is_whole_also_after_compaction_and_its_state_is_told(lake: Lake) -> None:
    found = lake.verify()
    assert (found.ok, found.files, found.unknown, found.entries) == (True, 3, 0, 2)
    assert found.others == 5
    assert lake.verify().state == found.state
    lake.maintain(["compact"], tables=["lines", "logs"])
    fresh = opened(lake.root).verify()
    assert (fresh.ok, fresh.files, fresh.entries) == (True, 3, 3), "fewer than five files stay as they are"
    assert fresh.state != found.state
    fill(lake, lake.root.parent / "more", times=3)
    lake.maintain(["compact"])
    again = opened(lake.root).verify()
    assert (again.ok, again.files) == (True, 1)


def test_one_flipped_byte_of_any_file_of_lines_is_found_and_the_file_named(lake: Lake) -> None:
    for number, file in enumerate(files(lake)):
        whole = file.read_bytes()
        at = [4, len(whole) // 2, len(whole) - 9][number]
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert problems(lake) == [("changed", str(file))]
        file.write_bytes(whole)
    assert problems(lake) == []


def test_missing_files_of_any_table_are_named(lake: Lake) -> None:
    line, log = files(lake)[0], files(lake, LOGS)[0]
    line.unlink()
    log.unlink()
    assert problems(lake) == [("missing", str(line)), ("missing", f"{log}: silver.logs has it")]


def test_a_file_that_somebody_put_into_or_took_out_of_the_table_is_named(lake: Lake) -> None:
    store = lake._opened()
    table = store.table(LINES)
    own = files(lake)[0]
    (written,) = FileWriter.of(LINES, table).write(pl.read_parquet(own).with_columns(text=pl.lit("forged")), "forged")
    with table.transaction() as transaction, transaction.update_snapshot().overwrite() as overwrite:
        overwrite.delete_data_file(next(one for one in iceberg_files(table) if paths([one])[0] == str(own)))
        overwrite.append_data_file(parquet_file_to_data_file(table.io, table.metadata, written.path))
    assert [(kind, text.partition(":")[0]) for kind, text in problems(lake)] == [
        ("added", written.path),
        ("missing", str(own)),
    ]


def test_a_changed_and_a_missing_entry_of_the_audit_trail_are_named(lake: Lake) -> None:
    (first, second) = files(lake, TRAIL)
    rows = {path: pl.read_parquet(path) for path in (first, second)}
    early = first if rows[first]["sequence"][0] == 1 else second
    schema = FileWriter.of(TRAIL, lake._opened().table(TRAIL))
    changed = rows[early].with_columns(actor=pl.lit("somebody"))
    whole = early.read_bytes()
    schema._write_file(changed, str(early), 1)
    assert ("audit", "entry 1 was changed") in problems(lake)
    early.write_bytes(whole)
    assert problems(lake) == []
    early.unlink()
    assert [kind for kind, _ in problems(lake)] == ["audit", "missing"]


def test_files_from_before_checksums_are_told_and_new_ones_get_theirs(lake: Lake, template: Path) -> None:
    table = lake._opened().table(LINES)
    with table.transaction() as transaction:
        transaction.remove_properties(FILES_PROPERTY)
    found = opened(lake.root).verify()
    assert (found.ok, found.files, found.unknown) == (True, 0, 3)
    fill(opened(lake.root), template / "later", times=1)
    found = opened(lake.root).verify()
    assert (found.ok, found.files, found.unknown) == (True, 1, 3)


def test_many_changes_are_folded_and_none_is_lost(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logshed.lake.checksums.FOLD_AFTER", 3)
    fill(lake, lake.root.parent / "folded", times=6)
    sums = Checksums.of(lake._opened().table(LINES))
    assert sums is not None
    assert sums.base
    assert len(sums.changes) <= 3
    assert set(sums.now()) == {str(path) for path in files(lake)}
    assert opened(lake.root).verify().ok
