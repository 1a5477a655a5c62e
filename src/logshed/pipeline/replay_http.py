"""Replays to HTTP: records as lines of JSON, posted in batches from a thread, tried again where that may help."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import polars as pl
from tenacity import Retrying, retry_if_exception

from logshed.alerts.common import http
from logshed.errors import AlertError, ReplayError, UsageError
from logshed.pipeline.ndjson import documents
from logshed.pipeline.replay_sinks import Payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenacity import RetryCallState

    from logshed.pipeline.replay_records import Form

BATCH_BYTES = 1 << 20
WAITING_BYTES = 8 << 20
"""Bytes that wait to be posted; with more of them the replay waits, and is late."""
TRIES = 5
"""Posts of one batch."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
_HEADERS = {"Content-Type": "application/x-ndjson"}


class Posts:
    """An address that takes lines of JSON.

    A record that is a line goes as ``{"timestamp", "collection", "line"}``, one that is JSON as it is. What waits
    while a post is under way goes with the next one.

    Args:
        url: The address; a user and a password in it become basic authentication.

    Raises:
        UsageError: The address is none.
    """

    def __init__(self, url: str, form: Form = "line") -> None:
        if not urlsplit(url).hostname:
            raise UsageError("cannot replay: the address has no host; write http://host:port/path")
        self._url, self._form = url, form
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._current = b""
        self._failures = 0
        self._failed: ReplayError | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="logshed-replay-http", daemon=True)
        self._thread.start()

    def make(self, records: pl.DataFrame) -> Payload:
        """As in ``Sink``."""
        if self._form == "json":
            return Payload.of(records.select(pl.col("text") + "\n").to_series())
        time = pl.from_epoch("at", "us").dt.replace_time_zone("UTC")
        texts = documents(records.select(time.alias("timestamp"), "collection", pl.col("text").alias("line")))
        return Payload.of(texts + "\n")

    def send(self, payload: Payload, first: int, last: int) -> None:
        """As in ``Sink``: it waits to be posted."""
        while first < last:
            end = int(np.searchsorted(payload.edges, payload.edges[first] + BATCH_BYTES, side="right")) - 1
            end = min(max(end, first + 1), last)
            self._add(bytes(payload.part(first, end)))
            first = end

    def close(self) -> None:
        """As in ``Sink``."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        if self._failed:
            raise self._failed

    def _add(self, data: bytes) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < WAITING_BYTES or self._failed)
            if self._failed:
                raise self._failed
            self._waiting.append(data)
            self._bytes += len(data)
            self._changed.notify_all()

    def _run(self) -> None:
        retrying = Retrying(
            stop=lambda _: self._failures >= TRIES,
            wait=self._pause,
            retry=retry_if_exception(lambda error: isinstance(error, AlertError) and error.retry),
            reraise=True,
        )
        try:
            retrying(self._post)
        except Exception as error:  # noqa: BLE001 - it is raised where the replay sends
            text = str(error) if isinstance(error, AlertError) else f"cannot send: {type(error).__name__}: {error}"
            with self._changed:
                self._failed = ReplayError(text)
                self._changed.notify_all()

    def _post(self) -> None:
        try:
            http.post(self._url, self._bodies(), headers=_HEADERS)
        except AlertError:
            self._failures += 1
            raise

    def _bodies(self) -> Iterator[bytes]:
        """What is to be posted; whoever asks for the next one has posted the one before."""
        while body := self._current or self._taken():
            self._current = body
            yield body
            self._current, self._failures = b"", 0

    def _taken(self) -> bytes:
        """What waits, as one body; nothing where no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            parts: list[bytes] = []
            while self._waiting and sum(map(len, parts)) + len(self._waiting[0]) <= BATCH_BYTES:
                parts.append(self._waiting.popleft())
            if self._waiting and not parts:
                parts.append(self._waiting.popleft())
            self._bytes -= sum(map(len, parts))
            self._changed.notify_all()
            return b"".join(parts)

    def _pause(self, state: RetryCallState) -> float:
        """Seconds until the next try: what the address asks for, else 0.5, 1, 2, 4."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, AlertError) else None
        return min(FIRST_WAIT * 2 ** (self._failures - 1) if asked is None else asked, LONGEST_WAIT)
