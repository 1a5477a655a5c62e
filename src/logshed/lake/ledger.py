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
import pyarrow.parquet as pq
from polars.io.plugins import register_io_source

from logshed.lake import parquet, storage
from logshed.lake.names import LEDGER_PROPERTY
from logshed.lake.writing import room_told
from logshed.sources.reading import hash_of
from logshed.work import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyiceberg.table import Table

    from logshed.work import Written

FOLD_AFTER = 64
"""Deltas before they are folded into the base."""
ORDER = ["source", "generation", "start"]
"""How the base is sorted."""
GROUP_ROWS = 16_384
"""Entries of a row group of the base: those of one folder are found without reading the others."""
FEW_FOLDERS = 16
"""Folders of which each is looked for by a range of names."""
MOST_HEADS = 100_000
"""Beginnings of files that are hashed to find out which known files began so."""

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

    def checkpoints(
        self, folders: Iterable[str], inodes: Iterable[str], sources: Iterable[str] = (), heads: Sequence[bytes] = ()
    ) -> list[Checkpoint]:
        """How far the generations are that some files may go on with, whatever these were called.

        Of a million known files only names and heads are looked at, and the rest of those that come into question.

        Args:
            folders: Folders as they stand in source names, ``file:/var/log``; ``.`` is that of ``stdin:``.
            inodes: ``device:inode``.
            sources: Names of the files: their generations are given in any case.
            heads: How the files begin; a generation under another name is given only if it began so. None gives all.
        """
        near, seen = _beside(sorted(set(folders))), pl.col("inode").is_in([inode for inode in inodes if inode])
        found = set(sources)
        for which in (near, seen):  # one after the other: a range of names is found without reading inodes
            began = self._began(self.scan().filter(which), heads).select(pl.col("source").unique())
            found |= set(began.collect(engine="streaming")["source"])
        return self._furthest(found)

    def _began(self, entries: pl.LazyFrame, heads: Sequence[bytes]) -> pl.LazyFrame:
        """Those of some entries whose source began as one of some files does."""
        if not heads:
            return entries
        sizes = entries.select(pl.col("head_size").unique()).collect(engine="streaming")["head_size"]
        if sizes.len() * len(heads) > MOST_HEADS:
            return entries
        hashes = {hash_of(head[:size]) for head in set(heads) for size in sizes if 0 < size <= len(head)}
        return entries.filter(pl.col("head_hash").is_in(sorted(hashes)))

    def _furthest(self, sources: set[str]) -> list[Checkpoint]:
        last = ["end", "tail_size", "tail_hash", "inode", "continues", "format"]
        # The head is the one that the generation was first known by: its id is made of it.
        furthest = (
            self.scan()
            .filter(pl.col("source").is_in(sorted(sources)))
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

    @room_told("the ledger")
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
        """The same entries in one sorted base file, written as a stream: the base is sorted, the deltas are small."""
        base = f"{folder}/base-{uuid4().hex}.parquet"
        rows = register_io_source(self._merged, schema=pl.Schema(ENTRY), is_pure=True)
        parquet.sink(rows, base, compression_level=3, row_group_size=GROUP_ROWS, maintain_order=True)
        storage.keep_a_while(self.files())
        return Ledger(base, ())

    def _merged(
        self, columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        """All entries in their order, a row group of the base in hand at a time."""
        assert predicate is None  # noqa: S101 - what Polars asks of a source, not what a user gives
        assert most is None  # noqa: S101 - as above
        left = parquet.scan(self.deltas, ENTRY).sort(ORDER).collect()
        for rows in self._groups():
            last = rows["source"][-1]
            due = left.filter(pl.col("source") < last)
            left = left.filter(pl.col("source") >= last)
            yield (pl.concat([rows, due]).sort(ORDER) if due.height else rows).select(columns or list(ENTRY))
        yield left.select(columns or list(ENTRY))

    def _groups(self) -> Iterator[pl.DataFrame]:
        if not self.base:
            return
        with storage.opened(self.base) as file:
            base = pq.ParquetFile(file)
            for number in range(base.num_row_groups):
                rows = pl.DataFrame(base.read_row_group(number))
                if rows.height:
                    yield rows.select(pl.col(name).cast(kind) for name, kind in ENTRY.items())


def _beside(folders: Sequence[str]) -> pl.Expr:
    """What holds for sources right in these folders; of few folders ranges, since the base is sorted by source."""
    source = pl.col("source")
    if len(folders) > FEW_FOLDERS or "." in folders:
        return source.str.extract("^(.*)/[^/]*$").fill_null(".").is_in(folders)
    found = pl.lit(value=False)
    for folder in folders:
        inside = (source > f"{folder}/") & (source < f"{folder}0")  # the digit comes right after the slash
        found |= inside & ~source.str.strip_prefix(f"{folder}/").str.contains("/", literal=True)
    return found
