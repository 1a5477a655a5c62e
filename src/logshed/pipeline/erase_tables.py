"""Finds and takes out the rows of a lake's tables that hold what is to be erased."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from logshed.lake.adjusting import KEY, LINES_GONE, adjustments
from logshed.lake.finding import columns_of, found, range_of
from logshed.lake.names import CASES, ERASED_PROPERTY, FOUND, GOLD, LINES, LOGS
from logshed.lake.rewriting import Change, Rewriting, taken_of, without
from logshed.pipeline.erase_journal import KEPT, NOTHING, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

    from logshed.lake.finding import Tell
    from logshed.lake.staying import Taken
    from logshed.lake.store import Store
    from logshed.pipeline.erase_journal import Journal
    from logshed.pipeline.erase_subject import Subject

RULE = "(erase)"
"""By which the ledger says lines were dropped."""
VERB = "erase"
_DAY = pl.col("timestamp").dt.date().alias("day")


def records(store: Store, subject: Subject) -> tuple[pl.DataFrame, set[date]]:
    """The records that hold it in ``lines`` or ``logs`` (``KEPT``), and the days that they happened on."""
    logs, shown = store.table(LOGS), [pl.col(name) for name in KEPT]
    columns = columns_of(logs)
    own = subject.narrow and not subject.attribute and dict(columns).get(subject.column) == "string"
    among = (subject.column, subject.values) if own else None
    told = found(logs, subject.rows(LOGS.name, columns), [*shown, _DAY], among=among)
    if subject.narrow:
        return told.select(*KEPT).unique(), set(told["day"])
    text = found(store.table(LINES), subject.within(pl.col("text")).fill_null(value=False), shown)
    more = text.join(told, on=list(RECORD), how="anti")
    days = set(told["day"])
    if not more.is_empty():
        days |= set(found(logs, of_records(more), [_DAY], range_of(more))["day"])
    return pl.concat([told.select(*KEPT), text]).unique(), days


def of_records(wanted: pl.DataFrame) -> pl.Expr:
    """Which rows are of these records; what rules most of them out comes first."""
    record = pl.struct(pl.col(name).cast(kind) for name, kind in RECORD.items())
    same = record.is_in(wanted.select(*RECORD).to_struct().implode())
    return pl.col("offset").is_in(wanted["offset"].unique().implode()) & same


def mentions(store: Store, subject: Subject, wanted: pl.DataFrame) -> int:
    """Rows of ``logs``, findings and incidents that stay and in whose texts the plain value is a word.

    Args:
        store: The lake.
        subject: What is erased.
        wanted: The records that do not stay.
    """
    goes = {LOGS.name: of_records(wanted) if len(wanted) else pl.lit(value=False), **of_security(store, subject)}
    count = 0
    for name, gone in goes.items():
        table = store.load(name)
        hit = subject.named().rows(name, columns_of(table)) & ~gone
        count += found(table, hit, [pl.col("batch")]).height
    return count


def texts(store: Store, wanted: pl.DataFrame) -> pl.DataFrame:
    """The lines of these records: ``collection`` and ``text``."""
    return found(store.table(LINES), of_records(wanted), [pl.col("collection"), pl.col("text")], range_of(wanted))


def take(store: Store, name: str, hit: pl.Expr, journal: Journal, tell: Tell | None = None) -> Rewriting:
    """Take the rows out of a table.

    Args:
        store: The lake.
        name: Its full name.
        hit: Which rows go.
        journal: Is told the files before they go, and the rows that went.
        tell: Tells files that may hold some by their bounds.

    Raises:
        LakeError: A file cannot be read or written; nothing of the table was changed.
    """
    lines = name == LINES.name

    def look(table: Table) -> list[Taken]:
        sums, keys = (LINES_GONE, KEY) if lines else ((), ())
        taken = taken_of(table, partial(_pruned, table, hit, tell), sums, keys)
        journal.add(NOTHING, old=[one.path for one in taken])
        return taken

    done = without(
        store,
        name,
        look,
        Change(
            VERB,
            adjust=(lambda taken: adjustments((one.facts for one in taken), RULE)) if lines else None,
            noted=(lambda *_: {ERASED_PROPERTY: uuid4().hex}) if name == LOGS.name else None,
            trim=False,
        ),
    )
    if done.rows:
        journal.count(name, done.rows)
    return done


def would(store: Store, name: str, hit: pl.Expr, tell: Tell | None = None) -> Rewriting:
    """What ``take`` would do."""
    table = store.load(name)
    taken = taken_of(table, partial(_pruned, table, hit, tell), ())
    return Rewriting(
        rows=sum(one.rows for one in taken),
        files=len(taken),
        dropped=sum(one.whole for one in taken),
        bytes=sum(one.file.file_size_in_bytes for one in taken),
    )


def of_security(store: Store, subject: Subject) -> dict[str, pl.Expr]:
    """By table, which incidents and findings hold it; incidents first, for a timeline is known by its findings."""
    if not store.has(FOUND):
        return {}
    findings = store.table(FOUND)
    hit = subject.rows(FOUND.name, columns_of(findings))
    ids = found(findings, hit, [pl.col("finding_id")])["finding_id"].unique().to_list()
    rows = {FOUND.name: hit}
    if store.has(CASES):
        cases = subject.rows(CASES.name, columns_of(store.table(CASES)))
        named = pl.col("timeline").str.contains_any(ids).fill_null(value=False) if ids else pl.lit(value=False)
        rows = {CASES.name: cases | named, **rows}
    return rows


def of_gold(store: Store, subject: Subject) -> dict[str, pl.Expr]:
    """By gold table, which rows hold it."""
    names = [f"{GOLD}.{name}" for name in store.gold_tables()]
    return {name: subject.rows(name, columns_of(store.load(name))) for name in names}


def _pruned(table: Table, hit: pl.Expr, tell: Tell | None, file: IcebergFile) -> pl.Expr | None:
    return hit if tell is None or tell(table, file) else None


def tables_of(names: Iterable[str]) -> list[str]:
    """Tables that erasure changes, of all that there are."""
    own = (LINES.name, LOGS.name, FOUND.name, CASES.name)
    return [name for name in names if name in own or name.startswith(f"{GOLD}.")]
