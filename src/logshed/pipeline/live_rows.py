"""Records of a lake as the hot store takes them, in an order that is always the same, a slab in memory at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.names import LINES, LOGS
from logshed.lake.scan import frame
from logshed.live import pieces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

SLAB_ROWS = 100_000
_ORDER = ["batch", *pieces.ORIGIN]


class LakeRows:
    """Rows for ``HotStore.put``, read as they are asked for.

    Args:
        logs: Files of ``silver.logs``.
        lines: Files of ``bronze.lines`` by the batches that they hold.
        batches: The batches whose rows they are; of a record with several items the first is taken.
        since: Only records of this time and later; None takes all.

    Attributes:
        height: How many there are.
    """

    def __init__(
        self,
        logs: Sequence[str],
        lines: Mapping[str, Sequence[str]],
        batches: Sequence[str],
        since: datetime | None = None,
    ) -> None:
        self._logs = frame(logs, LOGS.short).filter(
            (pl.col("item").fill_null(0) == 0) & pl.col("batch").is_in(list(batches))
        )
        self._lines = lines
        keys = self._logs.select(*_ORDER, "timestamp", "timestamp_source").collect().with_columns(at=pieces.AT)
        keys = keys if since is None else keys.filter(pl.col("timestamp") >= since)
        self._order = keys.select(*_ORDER, "at").sort(_ORDER)
        self._slab = pl.DataFrame(schema=pieces.SCHEMA)
        self._first = 0
        self.height = self._order.height

    @property
    def sources(self) -> pl.DataFrame:
        """The sources that they are of: ``source``, ``generation`` and where the last record begins (``last``)."""
        return self._order.group_by("source", "generation").agg(last=pl.col("offset").max())

    def leave(self, counted: pl.DataFrame) -> None:
        """Leave out what is counted already.

        Args:
            counted: ``source``, ``generation`` and from which offset on records are not (``stands``).
        """
        told = self._order.join(counted, on=["source", "generation"], how="left")
        self._order = told.filter(pl.col("offset") >= pl.col("stands").fill_null(0)).drop("stands").sort(_ORDER)
        self.height = self._order.height

    def slice(self, start: int, length: int) -> pl.DataFrame:
        """So many rows from there on, of those that are left."""
        end = min(start + length, self.height)
        if not self._first <= start <= end <= self._first + self._slab.height:
            self._first = start
            self._slab = self._read(self._order.slice(start, max(SLAB_ROWS, length)))
        return self._slab.slice(start - self._first, end - start)

    def _read(self, order: pl.DataFrame) -> pl.DataFrame:
        """The rows with these keys. A record whose line is no longer kept has none, and counts."""
        own = [name for name in pieces.SCHEMA if name not in ("text", "timestamp")]
        files = sorted({file for batch in order["batch"].unique() for file in self._lines.get(batch, ())})
        wanted = order.lazy().rename({"at": "timestamp"})
        texts = frame(files, LINES.short).select(*_ORDER, "text").join(wanted, on=_ORDER, how="semi")
        told = self._logs.select("batch", *own).join(wanted, on=_ORDER, how="inner")
        found = told.join(texts, on=_ORDER, how="left").sort(_ORDER).collect()
        return found.select(pl.col(name).cast(dtype) for name, dtype in pieces.SCHEMA.items())
