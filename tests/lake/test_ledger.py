"""The ledger finds what a file may go on with among many entries, and keeps them sorted in little memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq

from logshed.lake import ledger as ledgers
from logshed.lake.ledger import Ledger, entries, moved
from logshed.sources.reading import hash_of
from logshed.work import Counts, Split, Written

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HEAD = b"first line\n" * 10


def written(source: str, start: int = 0, end: int = 100, head: bytes = HEAD, inode: str = "") -> Written:
    split = Split(source, "", "g", start, end, head_size=len(head), head_hash=hash_of(head), inode=inode)
    return Written(split, (), Counts(read=end - start, stored=end - start))


def ledger(folder: Path, *work: Written) -> Ledger:
    own = Ledger()
    for number, one in enumerate(work):
        delta = folder / f"delta-{number}.parquet"
        entries([one], f"batch {number}").write_parquet(delta)
        own = replace(own, deltas=(*own.deltas, str(delta)))
    return own


def test_generations_are_found_by_name_by_inode_and_by_how_files_of_the_folder_begin(tmp_path: Path) -> None:
    held = ledger(
        tmp_path,
        written("file:/var/log/a.log"),
        written("file:/var/log/a.log", 100, 150, head=HEAD + b"and more"),
        written("file:/var/log/other.log", head=b"another\n"),
        written("file:/var/log/sub/b.log"),
        written("file:/var/log0/c.log"),
        written("file:/moved/d.log", inode="1:7"),
        written("file:/moved/e.log", head=b"another\n", inode="1:8"),
        written("stdin:x"),
    )
    for own in (held, held.fold(str(tmp_path))):

        def found(
            folders: list[str], inodes: list[str], *sources: str, heads: tuple[bytes, ...] = (), own: Ledger = own
        ) -> list[tuple[str, int]]:
            return sorted((one.source, one.end) for one in own.checkpoints(folders, inodes, sources, heads))

        begins = (HEAD + b"and more\nand more",)
        assert found(["file:/var/log"], ["1:7", "1:8", ""], heads=begins) == [
            ("file:/moved/d.log", 100),
            ("file:/var/log/a.log", 150),
        ]
        assert found(["file:/var/log"], []) == [("file:/var/log/a.log", 150), ("file:/var/log/other.log", 100)]
        assert found(["file:/none"], [], "file:/var/log/other.log", heads=begins) == [("file:/var/log/other.log", 100)]
        assert found(["."], []) == [("stdin:x", 100)]
        many = [f"file:/none/{number}" for number in range(20)]
        assert found([*many, "file:/var/log0"], [], heads=begins) == [("file:/var/log0/c.log", 100)]
        (first,) = own.checkpoints([], [], ["file:/var/log/a.log"])
        assert first.head_size == len(HEAD)  # the generation's id is made of the first


def test_folding_keeps_every_entry_and_the_order_a_few_in_hand_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "GROUP_ROWS", 3)
    first = ledger(tmp_path, *(written(f"file:/{number * 7 % 10}") for number in range(10))).fold(str(tmp_path))
    more = tmp_path / "more"
    more.mkdir()
    grown = ledger(more, written("file:/3", 100, 200), written("file:/35"), written("file:/99"), written("file:/"))
    both = Ledger(first.base, grown.deltas)
    folded = both.fold(str(tmp_path))
    assert pq.read_metadata(folded.base).num_row_groups == 5
    rows = folded.scan().collect()
    assert rows["source"].is_sorted()
    assert rows.equals(both.scan().sort("source", "generation", "start").collect())
    adjusted = Ledger(folded.base, (str(tmp_path / "moved.parquet"),))
    moved({("file:/3", "g"): 5, ("file:/99", "g"): -2}).write_parquet(tmp_path / "moved.parquet")
    rejected = adjusted.fold(str(tmp_path)).scan().group_by("source").agg(pl.col("rejected").sum()).collect()
    assert dict(rejected.filter(pl.col("rejected") != 0).iter_rows()) == {"file:/3": -5, "file:/99": 2}
