"""How much comes into a lake a day, as its own metadata says: records, raw bytes, bytes at rest, by collection."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import polars as pl

from logshed.errors import UsageError
from logshed.lake import scan
from logshed.lake.ledger import Ledger
from logshed.lake.names import CASES, FOUND, LINES, LOGS, TRAIL
from logshed.pipeline.cost import GB, Inflow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store

By = Literal["observed", "event"]
DAY_US = 86_400_000_000
RUN = ("started", "ended", "cpu_seconds")
"""What is asked of an entry of a run."""
CUT = 16
"""Characters to which Iceberg may cut the bounds of a text: those of longer texts say nothing."""
COLUMNS: dict[By, str] = {"observed": "observed_timestamp", "event": "timestamp"}


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows and bytes of a table, and of each collection in it."""

    rows: Decimal
    bytes: Decimal
    shares: dict[str, tuple[Decimal, Decimal]]

    @classmethod
    def of(cls, table: Table, files: Sequence[DataFile], definition: TableDef) -> _Part:
        found: dict[str, tuple[Decimal, Decimal]] = {}
        for file in files:
            size = Decimal(file.file_size_in_bytes)
            for name, rows in _rows(table, file, definition).items():
                before = found.get(name, (Decimal(0), Decimal(0)))
                found[name] = before[0] + rows, before[1] + size * rows / file.record_count
        return cls(Decimal(sum(file.record_count for file in files)), _bytes(files), found)


def inflow(store: Store, by: By = "observed") -> Inflow:
    """What comes in a day, as the files of the current snapshots say.

    Args:
        store: The lake.
        by: Whose days are counted: those in which records came (``observed``) or those of their own time (``event``),
            from the first to the last; less than a day counts as one.

    Raises:
        UsageError: There is nothing in the lake.
        logshed.errors.LakeError: The lake cannot be read.
    """
    logs, lines = store.table(LOGS), store.table(LINES)
    files = scan.iceberg_files(logs)
    silver = _Part.of(logs, files, LOGS)
    if not silver.rows:
        raise UsageError(
            f"cannot tell what lake {store.root} costs: there is nothing in it; ingest something, or give "
            "--events-per-day and --bytes-per-event"
        )
    bronze = _Part.of(lines, scan.iceberg_files(lines), LINES)
    days = _days(logs, files, COLUMNS[by])
    gold = [file for name in store.gold_tables() for file in scan.iceberg_files(store.gold_table(name))]
    other = [file for one in (FOUND, CASES, TRAIL) for file in _files(store, one)]
    rest = {
        # What is kept for fewer days has fewer rows, each of which takes as much.
        "bronze": silver.rows / days * bronze.bytes / max(bronze.rows, Decimal(1)),
        "silver": silver.bytes / days,
        "gold": _bytes(gold) / days,
        "security and audit": _bytes(other) / days,
    }
    raw, commits = _read(lines, _oldest(logs, files))
    own = _collections(rest, days, silver, bronze)
    return Inflow(silver.rows / days, raw / days, rest, commits / days, days, own, _cpu(store, lines))


def resting(store: Store) -> dict[str, dict[str, int]]:
    """Bytes at rest of each collection by layer; of a file that holds several, each has its share by rows.

    Raises:
        logshed.errors.LakeError: The lake cannot be read.
    """
    found: dict[str, dict[str, int]] = {}
    for layer, definition in (("bronze", LINES), ("silver", LOGS)):
        table = store.table(definition)
        part = _Part.of(table, scan.iceberg_files(table), definition)
        for name, (_, size) in part.shares.items():
            found.setdefault(name, {})[layer] = round(size)
    return found


def _files(store: Store, table: TableDef) -> list[DataFile]:
    return scan.iceberg_files(store.table(table)) if store.has(table) else []


def _bytes(files: Sequence[DataFile]) -> Decimal:
    return Decimal(sum(file.file_size_in_bytes for file in files))


def _days(table: Table, files: Sequence[DataFile], column: str) -> Decimal:
    """From the first to the last moment of a column, in days; one at least."""
    found = [bound for file in files for bound in scan.bounds(table, file, column)]
    return max(Decimal(1), Decimal(max(found) - min(found)) / DAY_US) if found else Decimal(1)


def _oldest(table: Table, files: Sequence[DataFile]) -> str:
    """The oldest batch of which there are rows: ids of batches are ordered by time."""
    return str(min(bound for file in files for bound in scan.bounds(table, file, "batch")))


def _read(lines: Table, oldest: str) -> tuple[Decimal, Decimal]:
    """Raw bytes and commits since a batch, as the ledger says."""
    own = Ledger.of(lines).scan().filter(pl.col("batch") >= oldest)
    found = own.select((pl.col("end") - pl.col("start")).sum().alias("raw"), pl.col("batch").n_unique()).collect()
    return Decimal(found["raw"][0]), Decimal(found["batch"][0])


def _cpu(store: Store, lines: Table) -> Decimal | None:
    """Processor seconds a GB of raw logs, of ingests that ran by the clock; None where none took anything."""
    noted = scan.frame(scan.paths(_files(store, TRAIL)), TRAIL.short).filter(pl.col("verb") == "schedule")
    found = {name: pl.col("details").str.json_path_match(f"$.{name}") for name in ("command", *RUN)}
    runs = noted.select(**found).filter(pl.col("command") == "ingest").select(_typed(name) for name in RUN)
    took = Ledger.of(lines).scan().select("committed", raw=pl.col("end") - pl.col("start")).filter(pl.col("raw") > 0)
    begun = runs.drop_nulls().sort("started")
    both = took.sort("committed").join_asof(begun, left_on="committed", right_on="started", coalesce=False)
    within = both.filter(pl.col("committed") <= pl.col("ended")).collect()
    raw = Decimal(within["raw"].sum())
    cpu = Decimal(str(round(within.unique("started")["cpu_seconds"].sum(), 3)))
    return cpu / raw * GB if raw else None


def _typed(name: str) -> pl.Expr:
    """A detail of a run as what it is."""
    if name == "cpu_seconds":
        return pl.col(name).cast(pl.Float64, strict=False)
    return pl.col(name).str.to_datetime("%+", time_unit="us", strict=False).dt.convert_time_zone("UTC")


def _rows(table: Table, file: DataFile, definition: TableDef) -> dict[str, int]:
    """Rows of each collection in a file: by its bounds where it has one, else by reading that column."""
    names = set(scan.bounds(table, file, "collection"))
    if len(names) == 1 and len(str(*names)) < CUT:
        return {str(*names): file.record_count}
    column = scan.frame(scan.paths([file]), definition.short).select("collection")
    return dict(column.group_by("collection").len().collect().iter_rows())


def _collections(
    rest: Mapping[str, Decimal], days: Decimal, silver: _Part, bronze: _Part
) -> dict[str, tuple[Decimal, dict[str, Decimal]]]:
    """Records and bytes at rest a day of each; what belongs to no file of its own is shared by records."""
    found = {}
    for name, (rows, size) in sorted(silver.shares.items(), key=lambda one: -one[1][1]):
        share = rows / silver.rows
        lines, taken = bronze.shares.get(name, (Decimal(0), Decimal(0)))
        own = {layer: one * share for layer, one in rest.items()}
        own["silver"] = size / days
        own["bronze"] = rows / days * taken / lines if lines else own["bronze"]
        found[name] = rows / days, own
    return found
