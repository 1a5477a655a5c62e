"""A replay as a source of events: the map shows it as if it happened now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from logshed.live.events import Event
from logshed.pipeline.replay_ahead import Ahead
from logshed.pipeline.replay_clock import MICROSECONDS, Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from logshed.pipeline.replay_clock import Window
    from logshed.pipeline.replay_records import Records

TICK, TURN = 0.05, 0.25
"""Seconds between two batches at least, and at most until a pause is seen."""
MOST = 1000
"""Events of a batch."""
_PLACES = ("country", "region", "city")


@dataclass(slots=True)
class ReplayEvents:
    """Events of a replay; an implementation of ``live.events.Events``.

    The first who asks for events starts it, as soon as it is to begin. Who comes later sees it from where it is then.

    Attributes:
        records: Where the records come from.
        window: What is played.
        loops: Whether it begins anew at the end.
        clock: Where it is; it can be paused.
        begins: Whether it is to begin, asked until it has: a map waits for the first who looks at it.
    """

    records: Records
    window: Window
    loops: bool = False
    clock: Clock = field(default_factory=Clock)
    begins: Callable[[], bool] = lambda: True
    _started: bool = field(default=False, init=False)

    async def batches(self, collections: Sequence[str] | None) -> AsyncIterator[Sequence[Event]]:
        """As in ``live.events.Events``; they end with the replay.

        Raises:
            logshed.errors.LogshedError: The records cannot be read.
        """
        lap, played = divmod(self.clock.place, self.window.length)
        if lap and not self.loops:
            return
        ahead = Ahead(self.records, self.window, int(lap), played / self.window.length, _same, lambda: self.loops)
        try:
            while not ahead.ended:
                portion = ahead.next() if self._started or self.begins() else None
                if portion is None:
                    await asyncio.sleep(TICK)
                    continue
                if not self._started:
                    self._started = True
                    self.clock.start()
                async for rows in self._due(portion.places, portion.made):
                    own = rows if collections is None else rows.filter(pl.col("collection").is_in(collections))
                    if own.height:
                        yield events(own)
        finally:
            ahead.stop()
            await asyncio.to_thread(ahead.join)

    async def _due(self, places: NDArray[np.float64], rows: pl.DataFrame) -> AsyncIterator[pl.DataFrame]:
        """Rows when they are due, some at a time."""
        done = 0
        while done < rows.height:
            due = min(int(places.searchsorted(self.clock.place, side="right")), done + MOST)
            if due > done:
                yield rows.slice(done, due - done)
                done = due
            else:
                await asyncio.sleep(min(max(float(places[done]) - self.clock.place, TICK), TURN))


def events(rows: pl.DataFrame) -> list[Event]:
    """Records as events; a place that is none on earth is left out."""
    latitude, longitude = pl.col("latitude"), pl.col("longitude")
    usable = latitude.is_between(-90, 90) & longitude.is_between(-180, 180)
    found = rows.select(
        pl.col("at") / MICROSECONDS,
        "collection",
        *(pl.col(name).fill_null("") for name in _PLACES),
        pl.when(usable).then(latitude).alias("latitude"),
        pl.when(usable).then(longitude).alias("longitude"),
        "text",
    )
    return [Event(*row) for row in found.rows()]


def _same(rows: pl.DataFrame) -> pl.DataFrame:
    return rows
