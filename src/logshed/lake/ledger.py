"""The ledger: which ranges of which sources are in the lake, with the fate of every line.

A root file (JSON) names a sorted Parquet base and small Parquet deltas, one a commit. The property ``logshed.ledger``
of ``bronze.lines`` names the root file, and changes in the same transaction that adds the data files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from logshed.lake import parquet, storage
from logshed.lake.names import LEDGER_PROPERTY
from logshed.work import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyiceberg.table import Table

    from logshed.work import Written

FOLD_AFTER = 64
"""Deltas before they are folded into the base."""

ENTRY: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.String,
    "generation": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "read": pl.Int64,
    "stored": pl.Int64,
    "rejected": pl.Int64,
    "dropped": pl.Int64,
    "dropped_by": pl.String,  # JSON: lines by drop rule
    "cut": pl.Int64,
    "batch": pl.String,
    "format": pl.String,
    "head_size": pl.Int64,
    "head_hash": pl.String,
    "tail_size": pl.Int64,
    "tail_hash": pl.String,
    "inode": pl.String,
    "continues": pl.Boolean,  # see Checkpoint
    "committed": pl.Datetime("us", "UTC"),
}


def entries(written: Iterable[Written], batch: str) -> pl.DataFrame:
    """Ledger entries of what was written, one a split."""
    now = datetime.now(UTC)
    rows = [
        {
            "source": work.split.source,
            "generation": work.split.generation,
            "start": work.split.start,
            "end": work.split.end,
            "read": work.counts.read,
            "stored": work.counts.stored,
            "rejected": work.counts.rejected,
            "dropped": work.counts.dropped_lines,
            "dropped_by": json.dumps(work.counts.dropped, sort_keys=True),
            "cut": work.counts.cut,
            "batch": batch,
            "format": work.split.format,
            "head_size": work.split.head_size,
            "head_hash": work.split.head_hash,
            "tail_size": work.tail_size,
            "tail_hash": work.tail_hash,
            "inode": work.split.inode,
            "continues": work.split.continues,
            "committed": now,
        }
        for work in written
    ]
    return pl.DataFrame(rows, schema=ENTRY)


def moved(taken: Mapping[tuple[str, str], int]) -> pl.DataFrame:
    """Ledger entries without bytes that move lines from rejected to stored.

    Args:
        taken: Lines that a format takes now and none took before, by source and generation; below 0 the other way.
    """
    now = datetime.now(UTC)
    empty: dict[str, object] = {name: "" if kind == pl.String else 0 for name, kind in ENTRY.items()}
    empty |= {"dropped_by": json.dumps({}), "continues": False, "committed": now}
    rows = [
        {**empty, "source": source, "generation": generation, "stored": count, "rejected": -count}
        for (source, generation), count in taken.items()
    ]
    return pl.DataFrame(rows, schema=ENTRY)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger as one commit left it.

    Attributes:
        base: Parquet file with the folded entries, or empty.
        deltas: Parquet files since, oldest first.
    """

    base: str = ""
    deltas: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Table) -> Ledger:
        """What the table's current metadata says."""
        path = table.properties.get(LEDGER_PROPERTY)
        if path is None:
            return cls()
        root = json.loads(storage.read(path))
        return cls(root["base"], tuple(root["deltas"]))

    def files(self) -> list[str]:
        """The Parquet files."""
        return [file for file in (self.base, *self.deltas) if file]

    def scan(self) -> pl.LazyFrame:
        """Every entry."""
        return parquet.scan(self.files(), ENTRY)

    def checkpoints(self, folders: Iterable[str], inodes: Iterable[str]) -> list[Checkpoint]:
        """How far the generations are that lie in these folders or have these inodes.

        Args:
            folders: Folders as they stand in source names, ``file:/var/log``; ``.`` is that of ``stdin:``.
            inodes: ``device:inode``.
        """
        near = pl.col("source").str.extract("^(.*)/[^/]*$").fill_null(".").is_in(list(folders))
        seen = pl.col("inode").is_in([inode for inode in inodes if inode])
        last = ["end", "tail_size", "tail_hash", "inode", "continues", "format"]
        # The head is the one that the generation was first known by: its id is made of it.
        furthest = (
            self.scan()
            .filter(near | seen)
            .group_by("source", "generation")
            .agg(
                pl.col(last).sort_by("end", "committed").last(),
                pl.col("head_size", "head_hash").sort_by("start", "committed").first(),
            )
        )
        return [Checkpoint(**row) for row in furthest.collect().iter_rows(named=True)]

    def ends(self, sources: Iterable[str]) -> dict[tuple[str, str], int]:
        """The end of every generation of these sources."""
        frame = self.scan().filter(pl.col("source").is_in(list(sources)))
        ends = frame.group_by("source", "generation").agg(pl.col("end").max()).collect()
        return {(source, generation): end for source, generation, end in ends.iter_rows()}

    def generations(self, ids: Iterable[str]) -> dict[str, int]:
        """The end of these generations, whatever their sources are called."""
        frame = self.scan().filter(pl.col("generation").is_in(list(ids)))
        return dict(frame.group_by("generation").agg(pl.col("end").max()).collect().iter_rows())

    def append(self, new: pl.DataFrame, folder: str) -> str:
        """Write a root file that holds these entries too, and return its path; nothing refers to it yet."""
        delta = f"{folder}/delta-{uuid4().hex}.parquet"
        parquet.write(new, delta, compression_level=1)
        ledger = Ledger(self.base, (*self.deltas, delta))
        if len(ledger.deltas) >= FOLD_AFTER:
            ledger = ledger.fold(folder)
        root = f"{folder}/root-{uuid4().hex}.json"
        storage.write(root, json.dumps({"base": ledger.base, "deltas": ledger.deltas}).encode())
        return root

    def fold(self, folder: str) -> Ledger:
        """The same entries in one sorted base file, written as a stream."""
        base = f"{folder}/base-{uuid4().hex}.parquet"
        parquet.sink(self.scan().sort("source", "generation", "start"), base, compression_level=3)
        storage.keep_a_while(self.files())
        return Ledger(base, ())
