"""Proves that read = stored + rejected + dropped for every source, and that the tables hold what the ledger says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.lake.adjusting import shared
from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES, LOGS
from logshed.lake.scan import batches_missing, frame, iceberg_files, paths
from logshed.pipeline.drift import drifts
from logshed.pipeline.trail import broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.lake.store import Store
    from logshed.pipeline.drift import Drift

KEY = ["source", "generation"]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One generation of one source, in physical lines unless said otherwise.

    Attributes:
        source: The source.
        generation: Which of the files that bore this name.
        read: Lines that the ledger says were read.
        stored: Lines that the ledger says are part of a parsed record.
        rejected: Lines that the ledger says no format took.
        dropped: Lines that the ledger says a rule dropped.
        in_bronze_stored: Lines of parsed records in ``lines``.
        in_bronze_rejected: Lines of rejected records in ``lines``.
        in_silver: Records in ``logs``.
        breaks: What does not add up, a sentence each.
    """

    source: str
    generation: str
    read: int
    stored: int
    rejected: int
    dropped: int
    in_bronze_stored: int
    in_bronze_rejected: int
    in_silver: int
    breaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found.

    Attributes:
        sources: One row a source and generation.
        breaks: What does not add up in the lake as a whole.
        drifts: Sources that parse far below what is usual for them; every line is accounted for nonetheless.
    """

    sources: tuple[AuditRow, ...]
    breaks: tuple[str, ...] = ()
    drifts: tuple[Drift, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything adds up."""
        return not self.breaks and not any(row.breaks for row in self.sources)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "ok": self.ok,
            "breaks": list(self.breaks),
            "drifts": [asdict(one) for one in self.drifts],
            "sources": [asdict(row) for row in self.sources],
        }


def audit(store: Store) -> AuditReport:
    """Compare the ledger with both tables, and look whether the audit trail is whole."""
    table = store.table(LINES)
    ledger = Ledger.of(table).scan()
    silver = store.table(LOGS)
    lines = frame(paths(iceberg_files(table)), LINES.short)
    logs = frame(paths(iceberg_files(silver)), LOGS.short)
    both = shared([table, silver])
    facts = _ledger_facts(ledger)
    for part in (_range_facts(ledger), _line_facts(lines, both), _log_facts(logs, both)):
        facts = facts.join(part, on=KEY, how="full", coalesce=True)
    found = facts.sort(KEY).collect(engine="streaming").with_columns(pl.exclude(KEY).fill_null(0))
    missing = batches_missing(store, LOGS.short)
    behind = tuple(
        f"batch {batch} is in lines and not in logs; `logshed ingest` of anything lets logs catch up"
        for batch in missing
    )
    trail = tuple(f"audit trail: {text}" for text in broken(store))
    return AuditReport(tuple(_row(row) for row in found.iter_rows(named=True)), (*behind, *trail), drifts(store))


def _ledger_facts(ledger: pl.LazyFrame) -> pl.LazyFrame:
    return ledger.group_by(KEY).agg(pl.col("read", "stored", "rejected", "dropped").sum())


def _range_facts(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Ranges must follow each other without gap or overlap; an entry without bytes only adjusts counts."""
    ranges = ledger.filter(pl.col("end") > pl.col("start")).sort(*KEY, "start")
    step = pl.col("start") - pl.col("end").shift(1).over(KEY)
    return (
        ranges.with_columns(step=step)
        .group_by(KEY)
        .agg(gaps=(pl.col("step") > 0).sum(), overlaps=(pl.col("step") < 0).sum())
    )


def _line_facts(lines: pl.LazyFrame, both: pl.Expr) -> pl.LazyFrame:
    taken = pl.col("parse_error").is_null()
    return lines.group_by(KEY).agg(
        in_bronze_stored=pl.col("line_count").filter(taken).sum(),
        in_bronze_rejected=pl.col("line_count").filter(~taken).sum(),
        records=pl.len(),
        shared_records=both.sum(),
        taken_records=(taken & both).sum(),
        distinct_records=pl.col("offset").n_unique(),
    )


def _log_facts(logs: pl.LazyFrame, both: pl.Expr) -> pl.LazyFrame:
    """Only what is young enough for both tables to have it is compared."""
    return logs.group_by(KEY).agg(
        in_silver=pl.len(),
        silver_records=pl.col("offset").filter(both).n_unique(),
        silver_taken=pl.col("offset").filter(pl.col("parse_error").is_null() & both).n_unique(),
        distinct_logs=pl.struct("offset", "item").n_unique(),
    )


def _row(facts: dict[str, Any]) -> AuditRow:
    fields = ("read", "stored", "rejected", "dropped", "in_bronze_stored", "in_bronze_rejected", "in_silver")
    counts = {name: int(facts[name]) for name in fields}
    return AuditRow(facts["source"], facts["generation"], **counts, breaks=tuple(_breaks(facts)))


def _breaks(facts: dict[str, Any]) -> Iterator[str]:
    fates = facts["stored"] + facts["rejected"] + facts["dropped"]
    if facts["read"] != fates:
        yield f"{facts['read']} lines were read, {fates} have a fate"
    for fate in ("stored", "rejected"):
        if facts[fate] != facts[f"in_bronze_{fate}"]:
            yield f"the ledger says {facts[fate]} lines {fate}, the table lines has {facts[f'in_bronze_{fate}']}"
    if facts["gaps"]:
        yield f"{facts['gaps']} ranges of the source are missing"
    if facts["overlaps"]:
        yield f"{facts['overlaps']} ranges of the source were read twice"
    if facts["records"] != facts["distinct_records"]:
        yield f"{facts['records'] - facts['distinct_records']} records stand in lines more than once"
    if facts["in_silver"] != facts["distinct_logs"]:
        yield f"{facts['in_silver'] - facts['distinct_logs']} records stand in logs more than once"
    if facts["silver_records"] != facts["shared_records"]:
        yield f"lines has {facts['shared_records']} records, logs has {facts['silver_records']} of them"
    elif facts["silver_taken"] != facts["taken_records"]:
        yield f"lines has {facts['taken_records']} parsed records, logs has {facts['silver_taken']} of them parsed"
