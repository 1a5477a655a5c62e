"""What the ledger and the tables say of rows that are gone: their lines are dropped by a rule, and accounted for."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.ledger import ENTRY
from logshed.lake.names import AGED_PROPERTY, RETAINED_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyiceberg.table import Table

KEY = ("source", "generation")
LINES_GONE = (
    pl.col("line_count").filter(pl.col("parse_error").is_null()).sum().cast(pl.Int64).alias("stored"),
    pl.col("line_count").filter(pl.col("parse_error").is_not_null()).sum().cast(pl.Int64).alias("rejected"),
)
"""What must be known of rows of ``bronze.lines`` before they go."""
_LAST = 2**63 - 1


def adjustments(gone: Iterable[pl.DataFrame], rule: str) -> pl.DataFrame:
    """Ledger entries without bytes that move lines from stored and rejected to dropped.

    Args:
        gone: ``source``, ``generation``, ``stored`` and ``rejected`` (``LINES_GONE``).
        rule: What dropped them.
    """
    counted = pl.concat(list(gone)).group_by(KEY).agg(pl.col("stored", "rejected").sum())
    lines = pl.col("stored") + pl.col("rejected")
    zeros = [pl.lit(0, pl.Int64).alias(name) for name in ("end", "read", "cut", "head_size", "tail_size")]
    empty = [pl.lit("").alias(name) for name in ("batch", "format", "head_hash", "tail_hash", "inode")]
    told = pl.concat_str(pl.lit('{"' + rule + '": '), lines.cast(pl.String), pl.lit("}"))
    return counted.with_columns(
        *zeros,
        *empty,
        stored=-pl.col("stored"),
        rejected=-pl.col("rejected"),
        dropped=lines,
        dropped_by=told,
        start=pl.lit(_LAST, pl.Int64),  # behind every range, so that the first entry of a generation stays the first
        continues=pl.lit(value=False),
        committed=pl.lit(datetime.now(UTC), pl.Datetime("us", "UTC")),
    ).select(list(ENTRY))


def retained(table: Table) -> dict[str, str]:
    """By collection (``*``: any other) the moment, ISO 8601 UTC, before which rows are gone; empty where none are."""
    found: dict[str, str] = json.loads(table.properties.get(RETAINED_PROPERTY, '{"*": ""}'))
    return found


def with_retained(table: Table, cuts: Mapping[str, datetime | None]) -> dict[str, str]:
    """The property that says what is gone once rows before these moments are, too; what is gone stays gone."""
    known = retained(table)
    new = {name: "" if cut is None else cut.isoformat() for name, cut in cuts.items()}
    both = {name: max(known.get(name, known["*"]), new.get(name, new["*"])) for name in {**known, **new}}
    return {RETAINED_PROPERTY: json.dumps(both, sort_keys=True)}


def shared(tables: Sequence[Table], column: str = "observed_timestamp") -> pl.Expr:
    """Which rows are observed so late that none of the tables has given any of their time away."""
    known = [retained(table) for table in tables]
    cuts = {name: max(one.get(name, one["*"]) for one in known) for name in {key: 0 for one in known for key in one}}
    own = {name: cut for name, cut in cuts.items() if name != "*"}
    return ~before(column, _moment(cuts["*"]), {name: _moment(cut) for name, cut in own.items()})


def before(column: str | pl.Expr, cut: datetime | None, own: Mapping[str, datetime | None]) -> pl.Expr:
    """Which rows lie before a moment, that of their collection where it has one of its own; None lies before none."""
    kind = pl.Datetime("us", "UTC")
    limit = pl.lit(cut, kind)
    for name, moment in own.items():
        limit = pl.when(pl.col("collection") == name).then(pl.lit(moment, kind)).otherwise(limit)
    time = pl.col(column) if isinstance(column, str) else column
    return (time < limit).fill_null(value=False)


def aged(table: Table) -> set[date]:
    """The days (of events) from which rows have aged: what was made of them cannot be made again."""
    return {date.fromisoformat(text) for text in json.loads(table.properties.get(AGED_PROPERTY, "[]"))}


def with_aged(table: Table, days: Iterable[date]) -> dict[str, str]:
    """The property that names these days too."""
    return {AGED_PROPERTY: json.dumps(sorted(day.isoformat() for day in {*aged(table), *days}))}


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
