"""Brings what an ingest commits into the hot store, where the settings want it; trouble there stops no ingest."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from logshed.errors import LiveError
from logshed.live.hot import HotStore
from logshed.pipeline.live_lake import LiveLake

if TYPE_CHECKING:
    from logshed.lake.store import Store
    from logshed.settings import Settings

log = logging.getLogger(__name__)
TRIES = 1
"""How often a command is tried again: the ingest waits meanwhile."""
REST_S = 5.0
"""How long a hot store that failed is left alone."""


class LiveSink:
    """Follows one lake for one run.

    Args:
        store: The lake.
        settings: Whether and where there is a hot store.

    Attributes:
        problem: Why what was committed is not in the hot store yet, or empty; the next run brings it.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.problem = ""
        self._store = store
        self._settings = settings
        self._live: LiveLake | None = None
        self._again = 0.0

    def follow(self) -> None:
        """Bring what was committed since the last time."""
        if not self._settings.live.enabled or time.monotonic() < self._again:
            return
        try:
            if self._live is None:
                self._live = LiveLake(self._store, HotStore.open(self._settings.live, TRIES))
            self._live.follow()
        except LiveError as error:
            if str(error) != self.problem:
                log.warning("%s", error)
            self.problem = str(error)
            self._live = None
            self._again = time.monotonic() + REST_S
        else:
            self.problem = ""
