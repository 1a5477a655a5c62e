"""Reads the records that a replay emits from the hot store: the newest lines of each collection."""

from __future__ import annotations

import heapq
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import polars as pl

from logshed.errors import ReplayError, UsageError
from logshed.pipeline.ndjson import documents
from logshed.pipeline.replay_clock import MICROSECONDS
from logshed.pipeline.replay_records import FRAME, TEXTS, microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.pipeline.replay_records import Form
    from logshed.pipeline.replay_slices import Wanted

ROWS = 5_000
"""Lines of a frame."""


class Hot(Protocol):
    """What is read of the hot store: ``live.hot.HotStore`` is one."""

    def known(self) -> Sequence[tuple[str, int]]:
        """The collections, each with how many lines it ever had."""
        ...

    def lines(
        self, collection: str, *, last: int | None = None, since: float | None = None, until: float | None = None
    ) -> Iterator[tuple[float, str]]:
        """Lines of a collection, each with its time in seconds since 1970, in the order of these."""
        ...


class HotRecords:
    """Records of the hot store: lines, of which only time and collection are known.

    Args:
        hot: The store.
        wanted: Which records.
        form: ``line``, or ``json`` for time, collection and line.

    Raises:
        UsageError: There is a condition on columns: lines have none.
    """

    def __init__(self, hot: Hot, wanted: Wanted, form: Form = "line") -> None:
        if wanted.where:
            raise UsageError(
                "cannot use --where with --from live: the hot store holds lines and no columns; leave it out, or take "
                "--from lake"
            )
        self.without_line = 0
        self._hot, self._form = hot, form
        self._collections = wanted.collections or tuple(name for name, _ in hot.known())
        self._since, self._until = (
            when if when is None else microseconds(when) for when in (wanted.since, wanted.until)
        )

    def extent(self) -> tuple[int, int]:
        """As in ``Records``."""
        first = [_time(line) for one in self._collections for line in islice(self._read(one, self._since), 1)]
        if not first:
            raise ReplayError(
                "cannot replay: the hot store has no line in the window; look at `logshed live known`, or take "
                "--from lake"
            )
        ends = [_time(line) for one in self._collections for line in self._hot.lines(one, last=1)]
        since = min(first) if self._since is None else self._since
        return since, max(ends) + 1 if self._until is None else self._until

    def outside(self) -> int:
        """Nothing: a line has a time."""
        return 0

    def frames(self, since: int) -> Iterator[pl.DataFrame]:
        """As in ``Records``."""
        merged = heapq.merge(*(self._tagged(one, since) for one in self._collections), key=lambda row: row[0])
        while rows := list(islice(merged, ROWS)):
            frame = pl.DataFrame(rows, schema=TEXTS, orient="row")
            if self._form == "json":
                time = pl.from_epoch("at", "us").dt.replace_time_zone("UTC").alias("timestamp")
                texts = documents(frame.select(time, "collection", pl.col("text").alias("line")))
                frame = frame.with_columns(texts.alias("text"))
            yield frame.select(
                pl.col(name) if name in TEXTS else pl.lit(None, dtype).alias(name) for name, dtype in FRAME.items()
            )

    def _tagged(self, collection: str, since: int) -> Iterator[tuple[int, str, str]]:
        for line in self._read(collection, since if self._since is None else max(since, self._since)):
            yield _time(line), collection, line[1]

    def _read(self, collection: str, since: int | None) -> Iterator[tuple[float, str]]:
        until = None if self._until is None else self._until / MICROSECONDS
        return self._hot.lines(collection, since=None if since is None else since / MICROSECONDS, until=until)


def _time(line: tuple[float, str]) -> int:
    return round(line[0] * MICROSECONDS)
