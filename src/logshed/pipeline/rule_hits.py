"""The records of a part of the lake that rules' conditions meet: what a worker does of a detection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.pipeline.lookback import span
from logshed.pipeline.rule_scan import CHUNK_ROWS
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from logshed.pipeline.rule_scan import Scan
    from logshed.sql.duckdb import Limits
    from logshed.sql.sight import Sight
    from logshed.sql.tables import Tables


@dataclass(frozen=True, slots=True)
class Hits:
    """What a part came to.

    Attributes:
        frames: Hits, as ``Scan.hits`` gives them.
        rows: Records that were looked at.
        first: When the first of them happened; None where there are none.
    """

    frames: tuple[pl.DataFrame, ...]
    rows: int
    first: datetime | None


@dataclass(frozen=True, slots=True)
class RuleHits:
    """Looks for rules in the records that meet a condition, a chunk in hand at a time.

    Attributes:
        scan: The rules.
        tables: The lake that is asked.
        limits: Memory and processors of a statement.
        told: Is told how many records were looked at; only in the process that made it.
        sight: What of the lake is seen; None is all.
    """

    scan: Scan
    tables: Tables
    limits: Limits
    told: Callable[[int], None] | None = None
    sight: Sight | None = None

    def __reduce__(self) -> tuple[type[RuleHits], tuple[Scan, Tables, Limits, None, Sight | None]]:
        """Another process tells nobody."""
        return RuleHits, (self.scan, self.tables, self.limits, None, self.sight)

    def __call__(self, where: str, /) -> Hits:
        """The hits in the records that meet a condition over ``logs``."""
        frames: list[pl.DataFrame] = []
        total, first = 0, None
        for rows in self._chunks(where):
            frames.append(self.scan.hits(rows))
            total += rows.height
            first = min(filter(None, (first, span(rows)[0])))
            if self.told is not None:
                self.told(rows.height)
        return Hits(tuple(frames), total, first)

    def stop(self) -> None:
        """Nothing is given up: nothing is written."""

    def _chunks(self, where: str) -> Iterator[pl.DataFrame]:
        parts: list[pl.DataFrame] = []
        height = 0
        for batch in DuckDB(self.tables, sight=self.sight, **self.limits).query(self.scan.select(where)).batches():
            frame = pl.from_arrow(batch)
            if isinstance(frame, pl.Series):
                continue
            parts.append(frame)
            height += frame.height
            if height >= CHUNK_ROWS:
                yield pl.concat(parts)
                parts, height = [], 0
        if parts:
            yield pl.concat(parts)
