"""Which rows are read anew, and the files of a table that hold them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.finding import range_of
from logshed.lake.names import LINES
from logshed.lake.rewriting import taken_of
from logshed.lake.scan import frame, iceberg_files, paths

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from pyiceberg.table import Table

    from logshed.lake.staying import Taken


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of ``bronze.lines`` or ``silver.logs``; the two tables have these columns in common.

    Attributes:
        batches: Of these batches.
        collections: Only of these collections; none are all.
        source: Only of sources that this glob matches; None takes all.
        kept: Which rows neither table has given away by their age: what is gone from one stays as it is in the other.
    """

    batches: frozenset[str]
    collections: tuple[str, ...] = ()
    source: str | None = None
    kept: pl.Expr = field(default_factory=lambda: pl.lit(value=True))

    @property
    def expr(self) -> pl.Expr:
        """Which they are."""
        return pl.col("batch").is_in(sorted(self.batches)) & self.chosen & self.kept

    @property
    def chosen(self) -> pl.Expr:
        """Those of any batch that have the collections and sources."""
        found = pl.lit(value=True)
        if self.collections:
            found &= pl.col("collection").is_in(list(self.collections))
        if self.source is not None:
            found &= pl.col("source").str.contains(pattern_of(self.source))
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines a run reads anew.

    Attributes:
        since: Lines that were read since then.
        until: Lines that were read before; None takes all.
        collections: Only of these collections; none are all.
        source: Only of sources that this glob matches.
    """

    since: datetime
    until: datetime | None = None
    collections: tuple[str, ...] = ()
    source: str | None = None

    def rows(self, batches: Iterable[str], kept: pl.Expr) -> Rows:
        """Those of some batches."""
        return Rows(frozenset(batches), self.collections, self.source, kept)

    def days(self, lines: Table, kept: pl.Expr) -> list[date]:
        """Days on which any of them was read."""
        if lines.current_snapshot() is None:
            return []
        day = pl.col("observed_timestamp").dt.date().alias("day")
        return list(self._read(lines, kept).select(day).unique().collect(engine="streaming")["day"])

    def counts(self, lines: Table, kept: pl.Expr, day: date) -> dict[str, int]:
        """How many were read on a day, by batch."""
        own = self._read(lines, kept).filter(pl.col("observed_timestamp").dt.date() == day)
        return dict(own.group_by("batch").len().collect(engine="streaming").iter_rows())

    def _read(self, lines: Table, kept: pl.Expr) -> pl.LazyFrame:
        time_read = pl.col("observed_timestamp")
        near, within = f"observed_timestamp >= '{self.since.isoformat()}'", time_read >= self.since
        if self.until is not None:
            near += f" and observed_timestamp < '{self.until.isoformat()}'"
            within &= time_read < self.until
        chosen = self.rows((), kept).chosen & kept
        return frame(paths(iceberg_files(lines, near)), LINES.short).filter(chosen & within)


def pattern_of(glob: str) -> str:
    """A glob as a regular expression that Polars reads."""
    parts = re.split(r"(\*|\?|\[!?\]?[^\]]*\])", glob)
    return f"(?s)^{''.join(map(_part, parts))}$"


def _part(text: str) -> str:
    if text in {"*", "?"}:
        return ".*" if text == "*" else "."
    if len(text) > 2 and text[0] == "[" and text[-1] == "]":  # noqa: PLR2004 - something between the brackets
        negated = text[1] == "!"
        return f"[{'^' if negated else ''}{re.escape(text[1 + negated : -1]).replace(re.escape('-'), '-')}]"
    return re.escape(text)


def holders(table: Table, rows: Rows) -> list[Taken]:
    """The data files that hold any of some rows."""
    if not rows.batches or table.current_snapshot() is None:
        return []
    tell = range_of(pl.DataFrame({"batch": sorted(rows.batches)}))
    return taken_of(table, lambda file: rows.expr if tell(table, file) else None, ())
