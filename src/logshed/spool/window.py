"""Remembers which ids came lately, millions of them in a few megabytes, and tells which of some are among them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logshed.spool.marks import ids_of, time_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logshed.spool.frames import Frame
    from logshed.spool.marks import Ids

    Mask = NDArray[np.bool_]

IDS = 2_000_000
IDS_SECONDS = 3_600.0
AGES = 8
"""Parts in which ids grow old: what is forgotten goes by such parts, so that none is ever sorted anew for it."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio (Knuth, TAOCP 3, 6.4): spreads ids over the slots that are not hashed well."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Ids in order, and when the first and the last of them came."""

    ids: Ids
    since: float
    until: float


class Window:
    """The ids that came lately.

    Those of the current age lie in runs that are merged when they are of like size; a full age is one run. Slots tell
    at once of most new ids that they are in no run.

    Args:
        most: So many of the newest are remembered, and at most an eighth more.
        seconds: How long one is remembered at the most, give or take an eighth.
    """

    def __init__(self, most: int = IDS, seconds: float = IDS_SECONDS) -> None:
        self.most = most
        self.seconds = seconds
        self._full: tuple[_Run, ...] = ()
        self._fresh: tuple[_Run, ...] = ()
        bits = max((4 * most).bit_length(), 10)
        self._shift = np.uint64(64 - bits)
        self._slots: NDArray[np.bool_] = np.zeros(1 << bits, dtype=np.bool_)

    def __len__(self) -> int:
        return sum(run.ids.size for run in (*self._full, *self._fresh))

    def add(self, ids: Ids, at: float) -> None:
        """Remember ids.

        Args:
            ids: In any order; some may be known.
            at: When they came, in seconds of the Unix epoch.
        """
        step = max(self.most // AGES, 1)
        for begin in range(0, ids.size, step):
            self._add(np.unique(ids[begin : begin + step]), at)

    def remember(self, mark: Frame) -> None:
        """Remember the ids of a mark, unless they came too long ago."""
        ids, at = ids_of(mark), time_of(mark)
        if ids.size and at >= time.time() - self.seconds:
            self.add(ids, at)

    def seen(self, ids: Ids, now: float | None = None) -> Mask:
        """Which ids are among those that came lately.

        Another thread may add some meanwhile.
        """
        since = (time.time() if now is None else now) - self.seconds
        slots, runs = self._slots, (*self._full, *self._fresh)
        found: Mask = slots[self._slot(ids)]
        if found.any():
            (asked,) = np.nonzero(found)
            found[asked] = _among(ids[asked], [run for run in runs if run.until >= since])
        return found

    def _add(self, ids: Ids, at: float) -> None:
        if self._fresh and at - self._fresh[0].since >= self.seconds / AGES:
            self._full, self._fresh = (*self._full, _merged(self._fresh)), ()
        fresh = [*self._fresh, _Run(ids, at, at)]
        while len(fresh) > 1 and fresh[-2].ids.size < 2 * fresh[-1].ids.size:
            fresh[-2:] = [_merged(fresh[-2:])]
        self._slots[self._slot(ids)] = True  # before the run is there, so that no thread misses it in the runs
        self._fresh = tuple(fresh)
        if sum(run.ids.size for run in fresh) * AGES >= self.most:
            self._full, self._fresh = (*self._full, _merged(fresh)), ()
        self._forget(at - self.seconds)

    def _forget(self, since: float) -> None:
        known, kept = len(self), list(self._full)
        while kept and (known - kept[0].ids.size >= self.most or kept[0].until < since):
            known -= kept.pop(0).ids.size
        if len(kept) < len(self._full):
            slots: NDArray[np.bool_] = np.zeros_like(self._slots)
            for run in (*kept, *self._fresh):
                slots[self._slot(run.ids)] = True
            self._full, self._slots = tuple(kept), slots

    def _slot(self, ids: Ids) -> NDArray[Any]:
        return (ids * SPREAD) >> self._shift


def _merged(runs: Sequence[_Run]) -> _Run:
    ids = np.concatenate([run.ids for run in runs])
    ids.sort(kind="stable")  # which takes runs as they are and merges them
    return _Run(ids, min(run.since for run in runs), max(run.until for run in runs))


def _among(ids: Ids, runs: Sequence[_Run]) -> Mask:
    found: Mask = np.zeros(ids.size, dtype=np.bool_)
    for run in runs:
        at = np.searchsorted(run.ids, ids)
        found |= run.ids[np.minimum(at, run.ids.size - 1)] == ids
    return found
