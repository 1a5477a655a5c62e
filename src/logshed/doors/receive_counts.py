"""Counts what comes in by the doors and what becomes of it, and tells it to Prometheus."""

from __future__ import annotations

import logging
import platform
import time
from bisect import bisect_left
from contextlib import contextmanager
from importlib.metadata import version
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from logshed.errors import LogshedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from prometheus_client import Metric

MOST_LABELS = 1_000
"""Label sets that a metric has at most; what is beyond them is counted under ``other``."""
OTHER = "other"
ACK_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DRAIN_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_DONE = range(200, 300)

Read: TypeAlias = "Callable[[], float | Mapping[str, float]]"
"""Tells a figure that somebody else keeps; by label where the reading has one."""


class Kind(NamedTuple):
    """What a metric tells.

    Attributes:
        text: In words.
        labels: By what it is told apart.
        bounds: Of a histogram, in seconds.
        begins: Labels under which it is told from the start on, as 0; what begins later has no growth at first.
    """

    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    begins: tuple[tuple[str, ...], ...] = ()


COUNTERS = {
    "logshed_receive_records": Kind("Records put on disk and acknowledged.", ("protocol", "collection")),
    "logshed_receive_bytes": Kind("Bytes of records put on disk and acknowledged.", ("protocol", "collection")),
    "logshed_receive_refused_records": Kind("Records that were not taken, by why.", ("protocol", "reason")),
    "logshed_receive_dropped_records": Kind(
        "Records that were lost, since their sender cannot be told to wait.", ("protocol",)
    ),
    "logshed_receive_duplicate_records": Kind("Records that had come before and were left out.", ("protocol",)),
    "logshed_receive_requests": Kind("Requests by the status that they were answered.", ("protocol", "status")),
    "logshed_receive_throttled_requests": Kind("Requests told to come again later, by the token's id.", ("token",)),
    "logshed_ingest_stored_records": Kind("Records of the spool that are in the lake.", ("collection",)),
    "logshed_ingest_rejected_records": Kind("Records of the spool that no format could read.", ("collection",)),
    "logshed_ingest_runs": Kind(
        "Times that the spool was emptied into the lake.", ("outcome",), begins=(("done",), ("failed",))
    ),
}
HISTOGRAMS = {
    "logshed_receive_ack_seconds": Kind(
        "From a request's beginning to its acknowledgement, of those that were taken.", ("protocol",), ACK_SECONDS
    ),
    "logshed_receive_write_seconds": Kind("To make requests safe and put them on disk, a turn.", (), ACK_SECONDS),
    "logshed_ingest_run_seconds": Kind("Time that it took to empty the spool into the lake.", (), DRAIN_SECONDS),
}
READINGS = {
    "logshed_spool_bytes": Kind("Bytes that the spool takes on the disk."),
    "logshed_spool_limit_bytes": Kind("Bytes that the spool may take."),
    "logshed_ingest_waiting_bytes": Kind("Bytes of records that are not in the lake yet."),
    "logshed_ingest_lag_seconds": Kind("Age of the oldest record that is not in the lake yet."),
    "logshed_receive_connections": Kind("Connections that are open.", ("door",)),
    "logshed_receive_door_dropped_datagrams_total": Kind("Datagrams for which there was no room.", ("door",)),
}
"""What is read when it is asked for, by ``Counts.read``."""
_log = logging.getLogger(__name__)


class Counts(Collector):
    """What is counted of one receiver; may be called by several threads.

    Each call is for a request, not for a record, and adds to one or two figures.

    Attributes:
        registry: What Prometheus is told, the figures of the process among it.
        failure: Why the last run that was to empty the spool failed; empty where it did not.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        self.failure = ""
        self._clock = clock
        self._lock = Lock()
        self._counters: dict[str, dict[tuple[str, ...], float]] = {
            name: dict.fromkeys(kind.begins, 0.0) for name, kind in COUNTERS.items()
        }
        self._histograms: dict[str, dict[tuple[str, ...], list[float]]] = {name: {} for name in HISTOGRAMS}
        self._readings: dict[str, Read] = {"logshed_ingest_lag_seconds": self.lag}
        self._oldest: float | None = None
        self._since: float | None = None  # the oldest of what has come since the running drain began
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def accepted(self, protocol: str, collection: str, records: int, size: int) -> None:
        """Records are on disk."""
        key = (protocol, collection)
        with self._lock:
            self._add("logshed_receive_records", key, records)
            self._add("logshed_receive_bytes", key, size)
            if records and self._oldest is None:
                self._oldest = self._clock()
            if records and self._since is None:
                self._since = self._clock()

    def written(self, seconds: float) -> None:
        """Requests were made safe and put on disk in one turn."""
        with self._lock:
            self._observe("logshed_receive_write_seconds", (), seconds)

    def refused(self, protocol: str, reason: str, records: int = 1) -> None:
        """Records were not taken; the reason is in words of ours, never the client's."""
        self._count("logshed_receive_refused_records", (protocol, reason), records)

    def dropped(self, protocol: str, records: int = 1) -> None:
        """Records were lost: there was no room, and nobody to tell; none of them lets the figure begin at 0."""
        self._count("logshed_receive_dropped_records", (protocol,), records)

    def duplicate(self, protocol: str, records: int = 1) -> None:
        """Records had come before."""
        self._count("logshed_receive_duplicate_records", (protocol,), records)

    def throttled(self, token: str) -> None:
        """A request of a token was told to come again later."""
        self._count("logshed_receive_throttled_requests", (token,), 1)

    def stored(self, collection: str, records: int, rejected: int = 0) -> None:
        """Records of the spool are in the lake; others were rejected."""
        with self._lock:
            self._add("logshed_ingest_stored_records", (collection,), records)
            self._add("logshed_ingest_rejected_records", (collection,), rejected)

    def request(self, protocol: str, status: int | str, seconds: float) -> None:
        """A request was answered after some time."""
        with self._lock:
            self._add("logshed_receive_requests", (protocol, str(status)), 1)
            if status in _DONE or status == "OK":  # gRPC's statuses are words
                self._observe("logshed_receive_ack_seconds", (protocol,), seconds)

    def read(self, name: str, figure: Read) -> None:
        """Tell a figure of ``READINGS`` that somebody else keeps.

        Args:
            name: The metric.
            figure: Gives it; by label, where the metric has one.

        Raises:
            KeyError: There is no such metric.
        """
        READINGS[name]  # says at once that there is none
        self._readings[name] = figure

    def total(self, name: str) -> float:
        """The sum of a counter's figures, of all labels.

        Raises:
            KeyError: There is no such counter.
        """
        with self._lock:
            return sum(self._counters[name].values())

    def by(self, name: str) -> dict[tuple[str, ...], float]:
        """A counter's figures by its labels.

        Raises:
            KeyError: There is no such counter.
        """
        with self._lock:
            return dict(self._counters[name])

    def lag(self) -> float:
        """Seconds since the oldest record came that is not in the lake yet; 0 where all are."""
        oldest = self._oldest
        return 0.0 if oldest is None else max(self._clock() - oldest, 0.0)

    def waiting_since(self, seconds: float) -> None:
        """Say at the start how old the oldest record is that a spool held already."""
        with self._lock:
            self._oldest = self._clock() - seconds

    @contextmanager
    def draining(self) -> Iterator[None]:
        """Count a run that empties the spool into the lake; when it ends well, all is there that had come before it."""
        begun = self._clock()
        with self._lock:
            self._since = None
        outcome = "failed"
        try:
            yield
        except LogshedError as error:
            self.failure = str(error)
            raise
        except BaseException as error:
            self.failure = f"cannot empty the spool into the lake: {type(error).__name__}"
            raise
        else:
            self.failure, outcome = "", "done"
        finally:
            with self._lock:
                self._add("logshed_ingest_runs", (outcome,), 1)
                self._observe("logshed_ingest_run_seconds", (), self._clock() - begun)
                if not self.failure:
                    self._oldest = self._since

    def collect(self) -> Iterator[Metric]:
        """Everything as Prometheus's library wants it."""
        with self._lock:
            counters = {name: dict(values) for name, values in self._counters.items()}
            histograms = {
                name: {key: list(cells) for key, cells in of.items()} for name, of in self._histograms.items()
            }
        for name, values in counters.items():
            yield _counter(name, COUNTERS[name], values)
        for name, of in histograms.items():
            yield _histogram(name, HISTOGRAMS[name], of)
        for name, figure in self._readings.items():
            try:
                found = figure()
            except (LogshedError, OSError) as error:
                _log.warning("cannot tell %s: %s; it is left out of /metrics", name, error)
                continue
            yield _reading(name, READINGS[name], found)
        runs = {"version": version("logshed"), "python_version": platform.python_version()}
        yield InfoMetricFamily("logshed_build", "The version that runs.", runs)

    def describe(self) -> Iterator[Metric]:
        """Nothing: no figure has to be read to register this."""
        return iter(())

    def _count(self, name: str, key: tuple[str, ...], amount: float) -> None:
        with self._lock:
            self._add(name, key, amount)

    def _add(self, name: str, key: tuple[str, ...], amount: float) -> None:
        values = self._counters[name]
        if key not in values and len(values) >= MOST_LABELS:
            key = (*key[:-1], OTHER)
        values[key] = values.get(key, 0) + amount

    def _observe(self, name: str, key: tuple[str, ...], seconds: float) -> None:
        bounds = HISTOGRAMS[name].bounds
        cells = self._histograms[name].setdefault(key, [0.0] * (len(bounds) + 2))
        cells[bisect_left(bounds, seconds)] += 1
        cells[-1] += seconds


def _counter(name: str, kind: Kind, values: Mapping[tuple[str, ...], float]) -> Metric:
    family = CounterMetricFamily(name, kind.text, labels=kind.labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histogram(name: str, kind: Kind, of: Mapping[tuple[str, ...], Sequence[float]]) -> Metric:
    family = HistogramMetricFamily(name, kind.text, labels=kind.labels)
    for key, cells in of.items():
        so_far, buckets = 0.0, []
        for bound, cell in zip([*map(str, kind.bounds), "+Inf"], cells, strict=False):  # the last cell is the sum
            so_far += cell
            buckets.append((bound, so_far))
        family.add_metric(key, buckets, cells[-1])
    return family


def _reading(name: str, kind: Kind, found: float | Mapping[str, float]) -> Metric:
    make = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    family = make(name.removesuffix("_total"), kind.text, labels=kind.labels)
    for key, value in found.items() if not isinstance(found, int | float) else (("", found),):
        family.add_metric((key,) if kind.labels else (), value)
    return family
