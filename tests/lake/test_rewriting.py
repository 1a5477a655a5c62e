"""Rows go from just the files that hold them, in one commit that other writers survive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq
import pytest
from tests.lake.test_compacting import compact, due, files_of, put_lines, rows

from logshed.errors import CommitConflictError, LakeError
from logshed.lake import rewriting, steps
from logshed.lake.adjusting import KEY, LINES_GONE, adjustments
from logshed.lake.batch import Batches
from logshed.lake.checksums import Checksums
from logshed.lake.compact_plan import STEM, Sizes
from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES
from logshed.lake.rewriting import Change, Rewriting, taken_of, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lake.writer import Writer

    from logshed.lake.store import Store


def take(store: Store, hit: pl.Expr) -> Rewriting:
    return without(
        store,
        LINES.name,
        lambda table: taken_of(table, lambda _: hit, LINES_GONE, KEY),
        Change("erase", adjust=lambda taken: adjustments((one.facts for one in taken), "(test)")),
    )


def at_first_commit(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """Another writer is quicker, once."""
    done: list[str] = []

    def passed(name: str) -> None:
        if name == "before erase commit" and not done:
            done.append(name)
            then()

    monkeypatch.setattr(steps, "passed", passed)


def test_one_file_is_rewritten_one_dropped_and_the_others_stay_as_they_are(store: Store, writer: Writer) -> None:
    batches = [put_lines(store, writer, number) for number in range(4)]
    before, there = rows(store, LINES), files_of(store, LINES)
    done = take(store, (pl.col("offset") < 13))
    assert (done.rows, done.files, done.dropped, len(done.new)) == (13, 2, 1, 1)
    now = files_of(store, LINES)
    assert set(now) == (set(there) - set(done.old)) | set(done.new)
    assert rows(store, LINES).equals(before.filter(pl.col("offset") >= 13))
    assert store.table(LINES).scan().to_arrow().num_rows == 27, "field ids are right for PyIceberg too"
    assert pl.read_parquet(done.new[0])["batch"].unique().to_list() == [batches[1]]
    row_group = pq.read_metadata(done.new[0]).row_group(0)
    assert {row_group.column(number).compression for number in range(row_group.num_columns)} == {"ZSTD"}
    ledger = Ledger.of(store.table(LINES)).scan().select(pl.col("read", "stored", "dropped").sum()).collect().row(0)
    assert ledger == (40, 27, 13)
    (source,) = {key[0] for key in Ledger.of(store.table(LINES)).ends(["file:/var/log/app.log"])}
    assert Ledger.of(store.table(LINES)).ends([source]) == {(source, "g"): 40}, "how far it was read is as before"
    assert take(store, pl.col("offset") < 13) == Rewriting()


def test_rows_go_by_columns_that_a_file_leaves_out(store: Store, writer: Writer) -> None:
    put_lines(store, writer, 0)
    (file,) = files_of(store, LINES)
    names = pq.read_schema(file).names
    assert "parse_error" not in names
    assert take(store, pl.col("parse_error").is_null() & (pl.col("offset") < 5)).rows == 5
    (file,) = files_of(store, LINES)
    assert pq.read_schema(file).names == names
    assert rows(store, LINES)["offset"].sort().to_list() == list(range(5, 10))


def test_a_column_that_another_engine_renamed_keeps_its_values(store: Store, writer: Writer) -> None:
    put_lines(store, writer, 0)
    with store.table(LINES).update_schema() as update:
        update.rename_column("text", "words")
    before = store.table(LINES).scan(row_filter="offset >= 5").to_arrow()["words"].to_pylist()
    assert len(set(before)) > 1
    assert take(store, pl.col("offset") < 5).rows == 5
    assert store.table(LINES).scan().to_arrow()["words"].to_pylist() == before


def test_an_ingest_that_commits_first_keeps_its_rows_its_entry_and_its_checksum(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_lines(store, writer, 0)
    at_first_commit(monkeypatch, lambda: put_lines(store, writer, 1))
    assert take(store, pl.col("offset") < 5).rows == 5
    assert rows(store, LINES)["offset"].sort().to_list() == list(range(5, 20))
    table = store.table(LINES)
    counted = Ledger.of(table).scan().select(pl.col("read", "stored", "dropped").sum()).collect().row(0)
    assert counted == (20, 15, 5)
    sums = Checksums.of(table)
    assert sums is not None
    assert set(sums.now()) == set(files_of(store, LINES))
    assert Batches.of(table) == Batches()


def test_a_compaction_that_takes_the_file_away_makes_it_look_again(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        put_lines(store, writer, number)
    (group,) = due(store, LINES, Sizes(least=2))
    at_first_commit(monkeypatch, lambda: compact(store, LINES, group, Sizes(least=2)))
    done = take(store, pl.col("offset") % 2 == 0)
    assert (done.rows, done.files) == (15, 1)
    (file,) = files_of(store, LINES)
    assert Path(file).name.startswith(STEM), "what compaction has written stays so for the next one"
    assert rows(store, LINES)["offset"].sort().to_list() == list(range(1, 30, 2))
    assert {str(path) for path in Path(file).parents[1].rglob("*.parquet")} >= {file}


def test_a_run_that_never_wins_says_so_and_leaves_no_file(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_lines(store, writer, 0)
    put_lines(store, writer, 1)
    there = {str(path) for path in Path(files_of(store, LINES)[0]).parents[1].rglob("*.parquet")}
    monkeypatch.setattr(rewriting, "ATTEMPTS", 2)
    monkeypatch.setattr(rewriting, "back_off", lambda *_: None)
    number = iter(range(2, 9))
    monkeypatch.setattr(
        steps, "passed", lambda name: put_lines(store, writer, next(number)) if name == "before erase commit" else None
    )
    with pytest.raises(CommitConflictError, match=r"cannot erase rows of bronze\.lines: 2 attempts met other writers"):
        take(store, pl.col("offset") < 5)
    monkeypatch.setattr(steps, "passed", lambda _: None)
    now = {str(path) for path in Path(files_of(store, LINES)[0]).parents[1].rglob("*.parquet")}
    assert now - there == set(files_of(store, LINES)) - there
    assert rows(store, LINES).height == 40


def test_a_file_that_is_damaged_is_named_and_nothing_is_changed(store: Store, writer: Writer) -> None:
    put_lines(store, writer, 0)
    (file,) = files_of(store, LINES)
    whole = Path(file).read_bytes()
    Path(file).write_bytes(whole[:-20])
    with pytest.raises(LakeError, match=re.escape(f"cannot read {file}: ")):
        take(store, pl.col("offset") < 5)
    Path(file).write_bytes(whole)
    assert files_of(store, LINES) == [file]
