"""Reads a replay's records ahead of their time, in a thread, so that a slow read makes none late."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from logshed.pipeline.replay_clock import Window
    from logshed.pipeline.replay_records import Records

AHEAD = 2
"""Portions that wait, beside the one that is emitted and the one that is read."""
PORTION_BYTES = 1 << 22
_TURN = 0.1
"""Seconds until the thread sees that it is no longer wanted."""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Portion(Generic[Made]):
    """Records that are ready to be emitted.

    Attributes:
        lap: How often the window was played before.
        places: When they come, in seconds of play.
        made: What is emitted.
    """

    lap: int
    places: NDArray[np.float64]
    made: Made


class Ahead(Generic[Made]):
    """Portions of a replay, in order.

    Args:
        records: Where they come from.
        window: What is played.
        lap: How often the window was played before.
        share: How much of this lap is left out at its beginning.
        make: Makes of records what is emitted; it runs in the thread.
        loops: Whether another lap follows, asked at the end of each.
    """

    def __init__(
        self,
        records: Records,
        window: Window,
        lap: int,
        share: float,
        make: Callable[[pl.DataFrame], Made],
        loops: Callable[[], bool],
    ) -> None:
        self.ended = False
        self._records, self._window, self._make, self._loops = records, window, make, loops
        self._ready: queue.Queue[Portion[Made] | BaseException | None] = queue.Queue(AHEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(lap, share), name="logshed-replay", daemon=True)
        self._thread.start()

    def next(self, seconds: float = 0.0) -> Portion[Made] | None:
        """The next portion, if it is there in time; ``ended`` says whether none will come.

        Raises:
            logshed.errors.LogshedError: The records cannot be read.
        """
        try:
            found = self._ready.get(seconds > 0, seconds or None)
        except queue.Empty:
            return None
        if isinstance(found, BaseException):
            raise found
        self.ended = found is None
        return found

    def stop(self) -> None:
        """Read no further."""
        self._stopped.set()

    @property
    def alive(self) -> bool:
        """Whether it still reads."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Wait until it has stopped: a program that ends while a thread is inside DuckDB is aborted."""
        self._thread.join()

    def _run(self, lap: int, share: float) -> None:
        try:
            for portion in self._portions(lap, share):
                if not self._put(portion):
                    return
            self._put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where the records are wanted
            self._put(error)

    def _portions(self, lap: int, share: float) -> Iterator[Portion[Made]]:
        since = self._window.moment(share)
        while True:
            rows = 0
            for frame in self._records.frames(since):
                own = frame.filter(frame["at"] < self._window.until)
                rows += own.height
                for part in own.iter_slices(max(own.height * PORTION_BYTES // max(int(own.estimated_size()), 1), 1)):
                    yield Portion(lap, self._window.places(part["at"].to_numpy(), lap), self._make(part))
            if self._stopped.is_set() or not self._loops() or not (rows or since > self._window.since):
                return
            lap, since = lap + 1, self._window.since

    def _put(self, found: Portion[Made] | BaseException | None) -> bool:
        """Hand it over; False where nobody wants it any more."""
        while not self._stopped.is_set():
            try:
                self._ready.put(found, timeout=_TURN)
            except queue.Full:
                continue
            return True
        return False
