"""What takes forwarded records: OTLP, or lines of JSON over HTTP."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Protocol

from logshed.alerts.common.http import Poster
from logshed.errors import UsageError
from logshed.pipeline import forward_otlp, sink_otlp
from logshed.pipeline.ndjson import ndjson
from logshed.pipeline.sinks import delivering

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from logshed.pipeline.sinks import Sink

ADDED = ("line", "received", "siblings", "timestamp_us", "observed_us")
"""Columns of what is forwarded that are none of ``logs``."""


class Records(Protocol):
    """Takes records."""

    def send(self, frame: pl.DataFrame, key: str) -> int:
        """Send records, and wait until they are acknowledged.

        Args:
            frame: As ``forward_otlp.encoded`` takes them.
            key: What tells them from others; the same where they are sent again.

        Returns:
            How many were rejected, and need not be sent again.

        Raises:
            DeliveryError: They were not taken.
        """
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Otlp:
    """By OTLP over HTTP or gRPC."""

    def __init__(self, sink: Sink) -> None:
        self._exporter = sink_otlp.opened(sink)

    def send(self, frame: pl.DataFrame, key: str) -> int:
        """As in ``Records``."""
        return self._exporter.export(forward_otlp.encoded(frame), key)

    def close(self) -> None:
        """As in ``Records``."""
        self._exporter.close()


class Ndjson:
    """As lines of JSON, each with the columns that have a value; compressed."""

    def __init__(self, sink: Sink) -> None:
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        if sink.token:
            headers["Authorization"] = f"Bearer {sink.token}"
        self._poster = Poster(sink.url(None, sink.path or "/"), headers=headers, ca_file=sink.ca_file)

    def send(self, frame: pl.DataFrame, key: str) -> int:
        """As in ``Records``."""
        body = gzip.compress(ndjson(frame.drop(ADDED)), 1)
        with delivering():
            self._poster.post(body, {"Idempotency-Key": key})
        return 0

    def close(self) -> None:
        """As in ``Records``."""
        self._poster.close()


_KINDS: dict[str, Callable[[Sink], Records]] = {
    **dict.fromkeys(("otlp+http", "otlp+https", "otlp+grpc", "otlp+grpcs"), Otlp),
    **dict.fromkeys(("http", "https"), Ndjson),
}


def opened(sink: Sink) -> Records:
    """What sends to an address.

    Raises:
        UsageError: Nothing sends there, or a package that it needs is missing.
    """
    if sink.kind not in _KINDS:
        kinds = ", ".join(f"{kind}://" for kind in _KINDS)
        raise UsageError(f"cannot forward to {sink.kind}://: nothing sends there; write one of {kinds}")
    return _KINDS[sink.kind](sink)
