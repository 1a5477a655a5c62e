"""Compaction: the same rows in fewer files, whatever other writers do meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record
from tests.lake.writer import NOW, Writer

from logshed.errors import LakeError
from logshed.lake import steps
from logshed.lake.batch import new_batch
from logshed.lake.commit import commit_follower, commit_lines
from logshed.lake.compact_plan import Group, Sizes, groups
from logshed.lake.compacting import Compacted, Compaction, put_in_place
from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES, LOGS, TableDef
from logshed.lake.scan import batches_missing, frame, iceberg_files, paths
from logshed.lake.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = "file:/var/log/app.log"
DAY = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def put_lines(store: Store, writer: Writer, number: int, size: int = 10) -> str:
    batch = new_batch()
    expected = Ledger.of(store.table(LINES)).ends([SOURCE])
    assert (
        commit_lines(store, batch, [(writer.lines(batch, SOURCE, number * size, (number + 1) * size),)], expected) == []
    )
    return batch


def put_logs(store: Store, writer: Writer, timestamps: list[datetime]) -> str:
    batch = new_batch()
    commit_follower(store, LOGS.short, batch, writer.logs(batch, timestamps))
    return batch


def due(store: Store, table: TableDef, sizes: Sizes | None = None) -> list[Group]:
    loaded = store.table(table)
    return groups(loaded, iceberg_files(loaded), table.partition_column, sizes or Sizes())


def files_of(store: Store, table: TableDef) -> list[str]:
    return paths(iceberg_files(store.table(table)))


def rows(store: Store, table: TableDef) -> pl.DataFrame:
    found = frame(files_of(store, table), table.short).collect()
    return found.sort("batch", "offset", table.partition_column)


def compact(store: Store, table: TableDef, group: Group, sizes: Sizes) -> Compacted:
    """Do a group as the verb does."""
    return put_in_place(store, table, group, Compaction.of(store, table, sizes)(group))


def compacted(store: Store, table: TableDef, sizes: Sizes | None = None) -> list[Compacted]:
    sizes = sizes or Sizes()
    return [compact(store, table, group, sizes) for group in due(store, table, sizes)]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Do something once when a step is passed."""

    def at(name: str, do: Callable[[], object]) -> None:
        waiting = [do]

        def passed(step: str) -> None:
            if step == name and waiting:
                waiting.pop()()

        monkeypatch.setattr(steps, "passed", passed)

    return at


def test_small_files_become_one_with_the_same_rows_in_the_table_s_order(store: Store, writer: Writer) -> None:
    for number in range(6):
        put_lines(store, writer, number)
    before = rows(store, LINES)
    assert [done.files for done in compacted(store, LINES)] == [1]
    assert rows(store, LINES).equals(before)
    (file,) = files_of(store, LINES)
    told = pl.read_parquet(file)
    assert told.equals(told.sort(*LINES.order))
    assert store.table(LINES).scan().to_arrow().num_rows == 60


def test_a_compacted_file_has_field_ids_and_zstd_and_leaves_out_what_no_row_has(store: Store, writer: Writer) -> None:
    for _ in range(5):
        put_logs(store, writer, [DAY, DAY + HOUR])
    compacted(store, LOGS)
    (path,) = files_of(store, LOGS)
    file = pq.ParquetFile(path)
    ids = {field.name: int(field.metadata[b"PARQUET:field_id"]) for field in file.schema_arrow}
    known = {field.name: field.field_id for field in store.table(LOGS).schema().fields}
    assert ids == {name: known[name] for name in ids}
    assert {"timestamp", "batch"} <= ids.keys() < known.keys()
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_what_was_compacted_is_not_compacted_again_until_more_comes(store: Store, writer: Writer) -> None:
    for number in range(5):
        put_lines(store, writer, number)
    compacted(store, LINES)
    assert due(store, LINES) == []
    for number in range(5, 9):
        put_lines(store, writer, number)
    (group,) = due(store, LINES)
    assert len(group.files) == 5
    assert compacted(store, LINES)[0].files == 1
    assert rows(store, LINES).height == 90


def test_few_files_and_large_ones_are_left(store: Store, writer: Writer) -> None:
    for number in range(5):
        put_lines(store, writer, number)
    assert due(store, LINES, Sizes(least=6)) == []
    assert due(store, LINES, Sizes(target=100)) == []


def test_days_that_are_large_get_files_of_their_own_and_small_ones_share_one(store: Store, writer: Writer) -> None:
    for hour in range(6):
        put_logs(store, writer, [DAY + timedelta(days=day) + hour * HOUR for day in range(4) for _ in range(200)])
    before = rows(store, LOGS)
    size = sum(Path(file).stat().st_size for file in files_of(store, LOGS))
    sizes = Sizes(target=size * 4 * 8 // 25)
    assert sizes.alone < size / 4 * 1.5
    compacted(store, LOGS, sizes)
    days = [set(pl.read_parquet(file)["timestamp"].dt.date()) for file in files_of(store, LOGS)]
    assert sorted(map(len, days)) == [1, 1, 1, 1]
    assert len(set.union(*days)) == 4
    assert rows(store, LOGS).equals(before)


def test_small_days_next_to_each_other_share_a_file_and_months_never_do(store: Store, writer: Writer) -> None:
    for day in range(8):
        put_logs(store, writer, [datetime(2026, 10, 28, tzinfo=UTC) + timedelta(days=day)])
    assert [len(group.files) for group in due(store, LOGS, Sizes(least=2))] == [4, 4]
    compacted(store, LOGS, Sizes(least=2))
    assert sorted(Path(file).parent.name for file in files_of(store, LOGS)) == [
        "timestamp_month=2026-10",
        "timestamp_month=2026-11",
    ]


@pytest.mark.parametrize("run_rows", [7, 100])
def test_rows_that_do_not_fit_into_memory_at_once_are_all_written(run_rows: int, store: Store, writer: Writer) -> None:
    for number in range(5):
        put_lines(store, writer, number, 50)  # all of one minute
    before = rows(store, LINES)
    assert compacted(store, LINES, Sizes(run_rows=run_rows))[0].files == 1
    assert rows(store, LINES).equals(before)


def test_batches_are_found_in_compacted_files_and_read_from_them(store: Store, writer: Writer) -> None:
    batches = [put_lines(store, writer, number) for number in range(5)]
    commit_follower(store, LOGS.short, batches[0], [])
    compacted(store, LINES)
    (file,) = files_of(store, LINES)
    assert batches_missing(store, LOGS.short) == {batch: [file] for batch in sorted(batches[1:])}


def test_who_has_planned_before_reads_the_old_files_after(store: Store, writer: Writer) -> None:
    batches = [put_lines(store, writer, number) for number in range(5)]
    planned = batches_missing(store, LOGS.short)
    compacted(store, LINES)
    for batch in batches:
        assert frame(planned[batch], LINES.short).filter(pl.col("batch") == batch).collect().height == 10


def test_an_ingest_that_commits_first_keeps_its_rows_and_its_ledger_entry(
    store: Store, writer: Writer, meanwhile: Callable[[str, Callable[[], object]], None]
) -> None:
    for number in range(5):
        put_lines(store, writer, number)
    meanwhile("before compact commit", lambda: put_lines(Store.open(store.root, create=False), writer, 5))
    assert compacted(store, LINES)[0].files == 1
    assert len(files_of(store, LINES)) == 2
    assert rows(store, LINES)["offset"].sort().to_list() == list(range(60))
    assert Ledger.of(store.table(LINES)).ends([SOURCE]) == {(SOURCE, "g"): 60}


def test_an_ingest_that_finds_compaction_done_before_it_commits_too(
    store: Store, writer: Writer, meanwhile: Callable[[str, Callable[[], object]], None]
) -> None:
    for number in range(5):
        put_lines(store, writer, number)
    meanwhile("before bronze commit", lambda: compacted(Store.open(store.root, create=False), LINES))
    put_lines(store, writer, 5)
    assert rows(store, LINES)["offset"].sort().to_list() == list(range(60))
    assert Ledger.of(store.table(LINES)).ends([SOURCE]) == {(SOURCE, "g"): 60}
    assert len(files_of(store, LINES)) == 2


def test_of_two_compactions_of_the_same_files_one_gives_way_and_leaves_nothing(
    store: Store, writer: Writer, meanwhile: Callable[[str, Callable[[], object]], None]
) -> None:
    for number in range(5):
        put_lines(store, writer, number)
    meanwhile("before compact commit", lambda: compacted(Store.open(store.root, create=False), LINES))
    assert compacted(store, LINES) == [Compacted(0, 0)]
    assert rows(store, LINES)["offset"].sort().to_list() == list(range(50))
    (file,) = files_of(store, LINES)
    assert [str(path) for path in Path(file).parent.glob("compact-*")] == [file]


def test_a_file_that_cannot_be_read_changes_nothing(store: Store, writer: Writer) -> None:
    for number in range(5):
        put_lines(store, writer, number)
    files = files_of(store, LINES)
    broken = Path(files[2]).read_bytes()
    Path(files[2]).write_bytes(broken[:40] + b"\0" * (len(broken) - 80) + broken[-40:])
    with pytest.raises(LakeError, match=r"cannot compact .*\.parquet: .*restore it from a backup"):
        compacted(store, LINES)
    assert files_of(store, LINES) == files
    assert list(Path(files[0]).parent.glob("compact-*")) == []


def test_rows_that_cannot_be_read_change_nothing(store: Store, writer: Writer) -> None:
    for number in range(5):
        put_lines(store, writer, number, 2_000)
    files = files_of(store, LINES)
    text = pq.read_metadata(files[2]).row_group(0).column(0)
    place = Path(files[2]).read_bytes()
    start = text.dictionary_page_offset or text.data_page_offset
    Path(files[2]).write_bytes(place[: start + 30] + b"\xff" * 400 + place[start + 430 :])
    with pytest.raises(LakeError, match=r"cannot compact lines: .*; run the same command again"):
        compacted(store, LINES)
    assert files_of(store, LINES) == files
    assert list(Path(files[0]).parent.glob("compact-*")) == []


class Marking(_FastAppendFiles):
    """Marks a row as deleted in a file of its own, as other engines do and PyIceberg does not."""

    def _manifests(self) -> list[ManifestFile]:
        spec, schema = self._transaction.table_metadata.spec(), self.schema()
        file = DataFile.from_args(
            content=DataFileContent.POSITION_DELETES,
            file_path="file:///marks.parquet",
            file_format=FileFormat.PARQUET,
            partition=Record(0),
            record_count=1,
            file_size_in_bytes=1,
        )
        with MarkWriter(spec, schema, self.new_manifest_output(), self.snapshot_id, self._compression) as writer:
            writer.add(
                ManifestEntry.from_args(
                    status=ManifestEntryStatus.ADDED,
                    snapshot_id=self.snapshot_id,
                    sequence_number=None,
                    file_sequence_number=None,
                    data_file=file,
                )
            )
        return [writer.to_manifest_file(), *self._existing_manifests()]


class MarkWriter(ManifestWriterV2):
    """Writes a list of files with marks."""

    def content(self) -> ManifestContent:
        """What it lists."""
        return ManifestContent.DELETES


def test_rows_that_another_program_has_marked_as_deleted_do_not_come_back(store: Store, writer: Writer) -> None:
    for number in range(5):
        put_lines(store, writer, number)
    table = store.table(LINES)
    (group,) = due(store, LINES)
    with table.transaction() as transaction:
        Marking(Operation.APPEND, transaction, table.io).commit()
    with pytest.raises(LakeError, match="another program has marked rows of it as deleted"):
        compact(store, LINES, group, Sizes())
    assert list(Path(group.folder).glob("compact-*")) == []


def test_columns_that_a_user_has_added_stay(store: Store, writer: Writer) -> None:
    table = store.table(LINES)
    with table.update_schema() as update:
        from pyiceberg.types import StringType  # noqa: PLC0415 - only here

        update.add_column("remark", StringType())
    for number in range(4):
        put_lines(store, writer, number)
    table = store.table(LINES)
    row = pl.read_parquet(files_of(store, LINES)[0]).head(1).with_columns(offset=pl.lit(999, pl.Int64))
    own = row.with_columns(remark=pl.lit("mine")).to_arrow()
    schema = table.schema().as_arrow()
    table.append(pa.Table.from_pylist(own.to_pylist(), schema=schema))
    assert compacted(store, LINES)[0].files == 1
    told = store.table(LINES).scan(selected_fields=("offset", "remark")).to_arrow().to_pylist()
    assert len(told) == 41
    assert [one for one in told if one["remark"]] == [{"offset": 999, "remark": "mine"}]


def test_notes_of_the_files_are_kept(store: Store, writer: Writer) -> None:
    for number in range(5):
        batch = new_batch()
        (file,) = writer.logs(batch, [NOW])
        told = pq.read_table(file.path)
        meta = {**(told.schema.metadata or {}), b"logshed.enrichment": f'{{"geo": {number % 2}}}'.encode()}
        pq.write_table(told.replace_schema_metadata(meta), file.path)
        commit_follower(store, LOGS.short, batch, [file])
    compacted(store, LOGS)
    (path,) = files_of(store, LOGS)
    assert pq.read_metadata(path).metadata[b"logshed.enrichment"] == b'[{"geo": 0}, {"geo": 1}]'
