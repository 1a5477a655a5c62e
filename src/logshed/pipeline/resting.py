"""The places of a lake where text comes to rest, and how each is read; a new table joins the list here."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from logshed.errors import LakeError
from logshed.lake import rest, storage
from logshed.lake.names import CASES, FOUND, LINES, LOGS, TABLES, TRAIL, TableDef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.lake.store import Store

ROWS_AT_ONCE = 16_384
LEAST_ROWS = 10_000
"""A place with no more rows is read whole: a share of it would say little."""
GROUPS = 100
"""Row groups of a place among which a sample spreads at least, where there are so many."""


@dataclass(slots=True)
class Sample:
    """Which rows to read, and how many there were.

    Attributes:
        share: Share of the rows, 0 to 1.
        seed: Another number takes other rows.
        rows: Rows that there are, by place.
        read: Rows that were read, by place.
        unread: Files of no current snapshot that are not whole, such as a stopped run leaves.
    """

    share: float = 1.0
    seed: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def count(self, place: str, rows: int, read: int) -> None:
        """Add to what there is and to what was read of it."""
        self.rows[place] = self.rows.get(place, 0) + rows
        self.read[place] = self.read.get(place, 0) + read


@dataclass(frozen=True, slots=True)
class Place:
    """A place where text rests.

    Attributes:
        name: A table's name, or what else it is.
        frames: Yields all its columns that hold text, attributes as a map; ``source`` says where a row came from.
        table: Whether rows are a table's, with ``collection``, ``source`` and ``offset``.
    """

    name: str
    frames: Callable[[Store, Sample], Iterator[pl.DataFrame]]
    table: bool


def _table(definition: TableDef) -> Place:
    def frames(store: Store, sample: Sample) -> Iterator[pl.DataFrame]:
        resting = rest.data_files(store, definition)
        yield from _parquet(definition.name, list(resting.current), list(resting.others), sample)

    return Place(definition.name, frames, table=True)


def _ledger(store: Store, sample: Sample) -> Iterator[pl.DataFrame]:
    yield from _parquet(
        "ledger", [], rest.ledger_files(store), Sample(1.0, sample.seed, sample.rows, sample.read, sample.unread)
    )


def _others(store: Store, sample: Sample) -> Iterator[pl.DataFrame]:
    """Files' names, and the texts in their bytes; always all of them."""
    for path in rest.other_files(store):
        name = path.removeprefix(f"{store.root}/").removeprefix(f"{store.warehouse}/")
        try:
            for found in rest.texts_of(path):
                # An address in Azure has the form of a mail address, and stands in each manifest.
                texts = [text.replace(store.backing.storage.warehouse or "file://", "") for text in found]
                sample.count("other files", len(texts), len(texts))
                yield pl.DataFrame({"bytes": [rest.without_ids(name), *texts]}).with_columns(source=pl.lit(name))
        except FileNotFoundError:
            continue  # it rests no longer
        except ValueError:
            sample.unread.append(path)
    known = [*rest.ledger_files(store)]
    for table in TABLES.values():
        resting = rest.data_files(store, table)
        known += [*resting.current, *resting.others]
    everything = Sample(1.0, sample.seed, sample.rows, sample.read, sample.unread)
    yield from _parquet("other files", [], rest.strays(store, known), everything)


RESTING_PLACES: list[Place] = [
    _table(LINES),
    _table(LOGS),
    _table(FOUND),
    _table(CASES),
    _table(TRAIL),
    Place("ledger", _ledger, table=False),
    Place("other files", _others, table=False),
]
"""Everything under the lake's folder is in one of them."""


def _parquet(place: str, current: list[str], others: list[str], sample: Sample) -> Iterator[pl.DataFrame]:
    files = [(file, found) for file in current if (found := _opened(file)) is not None]
    for file in others:
        try:
            files += [(file, found)] if (found := _opened(file)) is not None else []
        except LakeError:
            sample.unread.append(file)
    total = sum(found.num_rows for _, found in files)
    groups = sum(found.num_row_groups for _, found in files)
    sample.count(place, total, 0)
    share = 1.0 if total <= LEAST_ROWS else max(sample.share, LEAST_ROWS / total)
    # Few groups are all read and thinned out by row; of many some are, each with more of its rows.
    of_groups = 1.0 if share >= 1 else min(1.0, max(share, GROUPS / groups))
    for file, found in files:
        yield from _rows(place, file, found, of_groups, share / of_groups, sample)


def _rows(
    place: str, file: str, found: pq.FileMetaData, of_groups: float, of_rows: float, sample: Sample
) -> Iterator[pl.DataFrame]:
    seed = zlib.crc32(f"{sample.seed}\0{Path(file).name}".encode())
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    groups = [group for group in range(found.num_row_groups) if of_groups >= 1 or chance.random() < of_groups]
    if not groups:
        return
    numbers = np.random.default_rng(seed)
    try:
        with storage.opened(file) as raw, pq.ParquetFile(raw) as opened:
            fields = [one.name for one in opened.schema_arrow if _is_text(one.type) or one.name == "offset"]
            for batch in opened.iter_batches(ROWS_AT_ONCE, row_groups=groups, columns=fields):
                # Thinned out by Arrow, which copies: a Polars frame would hold on to the texts of all rows.
                kept = batch.filter(pa.array(numbers.random(batch.num_rows) < of_rows)) if of_rows < 1 else batch
                frame = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([kept])))
                sample.count(place, 0, frame.height)
                yield frame
    except FileNotFoundError:
        return  # a compaction or an erasure was quicker: it rests no longer


def _opened(file: str) -> pq.FileMetaData | None:
    try:
        with storage.opened(file) as raw:
            return pq.read_metadata(raw)
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowInvalid) as error:
        raise LakeError(f"cannot read {file}: it is no whole Parquet file; restore it from a copy") from error


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_map(kind))
