from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.lake.writer import Writer

from logshed.errors import LakeError
from logshed.lake import batch as batches
from logshed.lake import ledger as ledgers
from logshed.lake import steps
from logshed.lake.batch import Batches, age_ms, new_batch
from logshed.lake.commit import SNAPSHOTS_AT_MOST, append_files, commit_follower, commit_lines
from logshed.lake.expiring import expire
from logshed.lake.ledger import Ledger
from logshed.lake.names import CASES, FOUND, LINES, LOGS
from logshed.lake.scan import batches_missing, column_ids, column_ids_to_be, frame, iceberg_files, paths
from logshed.lake.store import Store

SOURCE = "file:/var/log/a.log"


def ends(store: Store) -> dict[tuple[str, str], int]:
    return Ledger.of(store.table(LINES)).ends([SOURCE])


def test_a_commit_adds_rows_and_ledger_entries_at_once(store: Store, writer: Writer, batch: str) -> None:
    assert commit_lines(store, batch, [(writer.lines(batch, SOURCE, 0, 10),)], {}) == []
    rows = frame(paths(iceberg_files(store.table(LINES))), "lines").collect()
    assert rows.height == 10
    assert ends(store) == {(SOURCE, "g"): 10}


def test_work_planned_against_an_older_ledger_is_given_back(store: Store, writer: Writer, batch: str) -> None:
    commit_lines(store, batch, [(writer.lines(batch, SOURCE, 0, 10),)], {})
    late = new_batch()
    own = (writer.lines(late, SOURCE, 0, 12),)
    other = (writer.lines(late, "file:/var/log/b.log", 0, 5),)
    assert commit_lines(store, late, [own, other], {}) == [own]
    assert ends(store) == {(SOURCE, "g"): 10}
    assert frame(paths(iceberg_files(store.table(LINES))), "lines").collect().height == 15


def test_a_batch_that_dropped_every_line_still_reaches_the_ledger(store: Store, writer: Writer, batch: str) -> None:
    work = writer.lines(batch, SOURCE, 0, 10)
    empty = type(work)(work.split, (), work.counts)
    commit_lines(store, batch, [(empty,)], {})
    assert ends(store) == {(SOURCE, "g"): 10}


def test_a_follower_takes_a_batch_once(store: Store, writer: Writer, batch: str) -> None:
    files = writer.logs(batch, [datetime(2026, 11, 1, tzinfo=UTC)])
    assert commit_follower(store, "logs", batch, files)
    assert not commit_follower(store, "logs", batch, files)
    assert frame(paths(iceberg_files(store.table(LOGS))), "logs").collect().height == 1


def test_a_commit_survives_another_that_removes_older_states_at_once(
    store: Store, writer: Writer, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, moment = Store.open(store.root, create=False), datetime(2026, 11, 1, tzinfo=UTC)
    commit_follower(store, "logs", batch, writer.logs(batch, [moment]))

    def passed(name: str) -> None:
        if name != "before logs commit":
            return
        monkeypatch.setattr(steps, "passed", lambda _: None)
        append_files(other, other.table(LOGS), [], {})
        assert expire(other, LOGS.name, 0, dry=False).files

    monkeypatch.setattr(steps, "passed", passed)
    late = new_batch()
    assert commit_follower(store, "logs", late, writer.logs(late, [moment]))
    assert frame(paths(iceberg_files(store.table(LOGS))), "logs").collect().height == 2


def test_a_batch_that_only_bronze_has_is_missing_from_silver(store: Store, writer: Writer, batch: str) -> None:
    work = writer.lines(batch, SOURCE, 0, 10)
    commit_lines(store, batch, [(work,)], {})
    assert batches_missing(store, "logs") == {batch: [work.data_files[0].path]}
    commit_follower(store, "logs", batch, [])
    assert batches_missing(store, "logs") == {}


def test_rows_of_two_months_come_into_two_files(store: Store, writer: Writer, batch: str) -> None:
    files = writer.logs(batch, [datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)])
    assert [Path(file.path).parent.name for file in files] == ["timestamp_month=2026-10", "timestamp_month=2026-11"]
    commit_follower(store, "logs", batch, files)
    october = iceberg_files(store.table(LOGS), "timestamp < '2026-11-01T00:00:00+00:00'")
    assert paths(october) == [files[0].path]


def test_files_carry_the_field_ids_that_the_table_gave(store: Store, writer: Writer, batch: str) -> None:
    file = writer.logs(batch, [datetime(2026, 11, 1, tzinfo=UTC)])[0]
    ids = {field.name: int(field.metadata[b"PARQUET:field_id"]) for field in pq.read_schema(file.path)}
    expected = {field.name: field.field_id for field in store.table(LOGS).schema().fields}
    assert ids == {name: expected[name] for name in ids}
    assert {"timestamp", "batch"} <= ids.keys() < expected.keys(), "columns without a value are left out"
    commit_follower(store, "logs", batch, [file])
    assert store.table(LOGS).scan().to_arrow().num_rows == 1


def test_the_list_of_snapshots_stays_short(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logshed.lake.commit.SNAPSHOTS_AT_MOST", 5)
    monkeypatch.setattr("logshed.lake.commit.SNAPSHOTS_KEPT", 3)
    assert SNAPSHOTS_AT_MOST > 5
    for _ in range(12):
        commit_follower(store, "logs", new_batch(), [])
    assert len(store.table(LOGS).metadata.snapshots) <= 6


def test_deltas_are_folded_into_the_base(store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "FOLD_AFTER", 3)
    for start in range(0, 50, 10):
        batch = new_batch()
        commit_lines(store, batch, [(writer.lines(batch, SOURCE, start, start + 10),)], ends(store))
    ledger = Ledger.of(store.table(LINES))
    assert ledger.base
    assert len(ledger.deltas) == 2
    entries = ledger.scan().sort("start").collect()
    assert entries["end"].to_list() == [10, 20, 30, 40, 50]
    assert entries["read"].sum() == 50


def test_batch_ids_sort_by_their_time() -> None:
    ids = [new_batch() for _ in range(3)]
    assert all(age_ms(one) < 60_000 for one in ids)
    assert len(set(ids)) == 3
    assert ids[0][:8] <= ids[2][:8]
    assert all(one[14] == "7" for one in ids)


def test_settled_batches_move_below_the_watermark(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = "01000000-0000-7000-8000-000000000000", new_batch()
    done = Batches().add(first).add(second)
    assert done.watermark == first
    assert done.done == {second}
    assert first in done
    assert second in done
    assert new_batch() not in done
    monkeypatch.setattr(batches, "SETTLED_AFTER_MS", -1)
    assert done.add(new_batch()).watermark >= second


def test_a_batch_too_old_for_the_watermark_is_refused(store: Store, writer: Writer) -> None:
    old = "01000000-0000-7000-8000-000000000000"
    with pytest.raises(LakeError, match="older than 12 hours"):
        commit_lines(store, old, [(writer.lines(old, SOURCE, 0, 1),)], {})


def _commit_many(root: str, source: str, count: int) -> None:
    store = Store.open(Path(root), create=False)
    writer = Writer(store)
    for number in range(count):
        batch = new_batch()
        expected = {(source, "g"): number * 3} if number else {}
        assert commit_lines(store, batch, [(writer.lines(batch, source, number * 3, number * 3 + 3),)], expected) == []
        assert commit_follower(store, "logs", batch, [])


def test_concurrent_writers_lose_neither_rows_nor_ledger_entries(store: Store) -> None:
    spawn = multiprocessing.get_context("spawn")
    sources = ["file:/x/a", "file:/x/b", "file:/x/c"]
    workers = [spawn.Process(target=_commit_many, args=(str(store.root), source, 8)) for source in sources]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert frame(paths(iceberg_files(store.table(LINES))), "lines").collect().height == 3 * 8 * 3
    assert Ledger.of(store.table(LINES)).ends(sources) == {(source, "g"): 24 for source in sources}
    assert Ledger.of(store.table(LINES)).scan().collect().height == 24
    assert batches_missing(store, "logs") == {}


def test_no_rows_make_no_file(writer: Writer, batch: str) -> None:
    assert writer.logs(batch, []) == []


def test_a_table_that_a_lake_has_not_yet_is_made_when_it_is_first_written(store: Store) -> None:
    assert not store.has(FOUND)
    batch = new_batch()
    assert commit_follower(store, "findings", batch, [], also=[new_batch()])
    assert store.has(FOUND)
    assert not commit_follower(store, "findings", batch, [])


def test_several_batches_that_are_done_at_once_are_each_done(store: Store) -> None:
    first, second = new_batch(), new_batch()
    assert commit_follower(store, "findings", first, [], also=[second])
    assert not commit_follower(store, "findings", second, [])
    assert not commit_follower(store, "findings", new_batch(), [], also=[second])


def test_the_columns_of_a_table_to_be_are_those_it_will_have(store: Store) -> None:
    for table in (FOUND, CASES):
        assert column_ids_to_be(table) == column_ids(store.table(table), table.short)
