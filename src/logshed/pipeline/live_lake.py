"""The hot store as a follower of a lake: what was committed comes there once, and all of it again on a rebuild."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.batch import SETTLED_AFTER_MS, Batches, new_batch
from logshed.lake.names import LINES, LOGS
from logshed.lake.scan import batches_behind, frame, iceberg_files, paths
from logshed.live import keys
from logshed.live.hot import HotStore, Origin
from logshed.pipeline.live_rows import LakeRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from logshed.lake.store import Store

log = logging.getLogger(__name__)
PART_ROWS = 1_000_000
"""Records of a rebuild whose keys are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to.

    Attributes:
        records: Records counted.
        collections: Collections that they are of.
    """

    records: int
    collections: int


class LiveLake:
    """A lake whose records come into a hot store.

    Args:
        store: The lake.
        hot: The hot store.
    """

    def __init__(self, store: Store, hot: HotStore) -> None:
        self._store = store
        self._hot = hot
        self._lake = str(store.table(LINES).metadata.table_uuid)

    def follow(self) -> int:
        """Count what was committed since; the first time nothing, but the place from which on.

        Returns:
            Records that were counted now.

        Raises:
            LiveError: The hot store does not answer, refuses, or has no room; it goes on there the next time.
        """
        since, done = self._hot.counted(self._lake)
        counted = Batches(since, frozenset(done))
        if not since:
            counted = self._committed()
            self._hot.count_from(self._lake, counted.watermark, sorted(counted.done))
            return 0
        records = 0
        missing = batches_behind(self._store, counted, LOGS)
        lines = batches_behind(self._store, counted, LINES) if missing else {}
        for batch, files in missing.items():
            rows = LakeRows(files, lines, [batch])
            ends = self._ends(rows)
            self._leave_imported(rows)
            origin = Origin(keys.cursor(self._lake, batch), strict=True, batches=keys.BATCHES + self._lake, batch=batch)
            records += self._hot.put(rows, origin, ends)
            counted = counted.add(batch)
        if counted.watermark != since:
            self._hot.count_from(self._lake, counted.watermark, ())
        return records

    def rebuild(self, since: datetime | None, progress: Callable[[int, int], None] | None = None) -> Rebuilt:
        """Empty the hot store and fill it with what the lake holds; what others commit meanwhile comes once, too.

        Args:
            since: Only records of this time and later; None takes all.
            progress: Is told records done and all.

        Raises:
            LiveError: The hot store does not answer, refuses, or has no room; do it again then.
        """
        known, files = self._committed(), paths(iceberg_files(self._store.table(LOGS)))
        lines = batches_behind(self._store, Batches(), LINES)
        counts = _counts(files, since)
        total, done = sum(counts.values()), 0
        self._hot.begin_rebuild(self._lake, known.watermark, sorted(known.done))
        for batches in _parts({batch: count for batch, count in sorted(counts.items()) if batch in known}):
            rows = LakeRows(files, lines, batches, since)
            origin = Origin(keys.cursor(self._lake, "rebuild", batches[0]), strict=True)
            done += self._hot.put(rows, origin, self._ends(rows))
            if progress is not None:
                progress(done, total)
        self._hot.end_rebuild()
        return Rebuilt(done, len(self._hot.known()))

    @staticmethod
    def _ends(rows: LakeRows) -> dict[str, int]:
        """The cursors of their sources, and where these stand behind the last of them."""
        return {keys.followed(source, generation): last + 1 for source, generation, last in rows.sources.iter_rows()}

    def _leave_imported(self, rows: LakeRows) -> None:
        """Leave out what an import has brought already."""
        sources = rows.sources
        cursors = [keys.imported(source, generation) for source, generation, _ in sources.iter_rows()]
        stands = pl.Series("stands", self._hot.stands(*cursors), dtype=pl.Int64)
        if stands.sum():
            rows.leave(sources.select("source", "generation", stands))

    def _committed(self) -> Batches:
        """The batches that are in the lake; the watermark is behind none that may still be committed."""
        settled = f"{new_batch(SETTLED_AFTER_MS)[:13]}-0000-0000-000000000000"
        known = Batches(settled)
        for batch in batches_behind(self._store, known, LOGS):
            known = known.add(batch)
        return known


def _counts(files: list[str], since: datetime | None) -> dict[str, int]:
    """How many records each batch has."""
    rows = frame(files, LOGS.short).filter(pl.col("item").fill_null(0) == 0)
    rows = rows if since is None else rows.filter(pl.col("timestamp") >= since)
    return dict(rows.group_by("batch").len().collect().iter_rows())


def _parts(counts: dict[str, int]) -> Iterator[list[str]]:
    """The batches in their order, so many together as can be ordered in memory."""
    part: list[str] = []
    size = 0
    for batch, count in counts.items():
        if part and size + count > PART_ROWS:
            yield part
            part, size = [], 0
        part.append(batch)
        size += count
    if part:
        yield part
