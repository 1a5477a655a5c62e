"""Tells how far an ingest is, from a thread of its own, since a bundle takes longer than a tick."""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from logshed.pipeline.outcome import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.pipeline.naming import Naming
    from logshed.pipeline.task import Meter

EVERY_S = 0.2


class Ticker:
    """Looks at a meter now and then.

    Args:
        meter: Counts what is read.
        naming: Names the file at hand as it may be told.
        progress: Is told; None for nobody.

    Attributes:
        total: Bytes that there are to read.
    """

    def __init__(self, meter: Meter, naming: Naming, progress: Callable[[Progress], None] | None) -> None:
        self.total = 0
        self._meter = meter
        self._naming = naming
        self._progress = progress
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._started

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Tell the progress for as long as this lasts."""
        if self._progress is None:
            yield
            return
        over = Event()
        ticker = Thread(target=self._tick, args=(over, self._progress), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()

    def _tick(self, over: Event, progress: Callable[[Progress], None]) -> None:
        while True:
            ended = over.wait(EVERY_S)
            meter = self._meter
            current = self._naming.current(meter.current)
            progress(Progress(meter.bytes, self.total, meter.lines, meter.rejected, self.elapsed, current))
            if ended:
                return
