"""Topics of Kafka as a source: each partition is a stream of messages, read on from its offset in the ledger."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import SourceError
from logshed.sources import kafka_client
from logshed.sources.kafka_address import TopicAddress, is_address
from logshed.sources.kafka_reading import ENVELOPE, Messages
from logshed.sources.lines import SCHEMA
from logshed.sources.model import Identity, Problem, Target
from logshed.work import Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.work import Checkpoint

__all__ = ["Messages", "identified", "is_address", "sample", "targets"]

SAMPLE = 300
"""Messages at each end of a partition by which its format is told."""
SAMPLE_S = 60.0
"""How long a sample is good for: who follows a topic does not fetch it anew each second."""
SAMPLES_BYTES = 64 * 1024 * 1024
_VALUE_BYTES = 16 * 1024
_CHUNK_BYTES = 1024 * 1024
_UNNAMED = "0" * 8
"""What generations begin with of topics whose brokers tell no ids; theirs are numbered."""

_samples: OrderedDict[str, _Sample] = OrderedDict()
_lock = threading.Lock()


def targets(path: str) -> tuple[list[Target], list[Problem]]:
    """The partitions behind an address, and those that cannot be read now.

    Args:
        path: ``kafka://broker:9092/topic``; ``*``, ``?`` and ``[…]`` stand for several topics.

    Raises:
        SourceError: No broker answers, or there is no such topic.
        UsageError: It is no address.
    """
    address = TopicAddress.parse(path)
    with kafka_client.cluster(address.brokers) as cluster:
        return _targets(path, address, cluster)


def _targets(path: str, address: TopicAddress, cluster: kafka_client.Cluster) -> tuple[list[Target], list[Problem]]:
    cluster_id, every = cluster.topics()
    name = kafka_client.used().name or cluster_id or address.brokers
    names = {topic: numbers for topic, numbers in every.items() if address.fits(topic)}
    wanted = [
        (topic, number)
        for topic, numbers in sorted(names.items())
        for number in numbers
        if address.number in (None, number)
    ]
    if not wanted:
        what = "no topic matches" if address.has_wildcards else "the cluster has no such topic or partition"
        raise SourceError(f"cannot find {path}: {what}, or this user may not see it; check the name")
    ids = cluster.ids(names)
    found, problems = [], []
    for (topic, number), bounds in cluster.bounds(wanted).items():
        locator = address.locator(topic, number)
        if isinstance(bounds, SourceError):
            problems.append(Problem(locator, str(bounds)))
        else:
            source = f"kafka:{name}/{topic}/{number}"
            found.append(_target(locator, source, ids[topic], (topic, number), bounds))
    return found, problems


def _target(locator: str, source: str, topic_id: str, place: tuple[str, int], bounds: tuple[int, int]) -> Target:
    start, end = bounds
    topic, number = place
    return Target(
        path=locator,
        source=source,
        locator=locator,
        size=end,
        start=start,
        generation=_hash(topic_id, str(number)) if topic_id else _unnamed(0),
        resource=(
            ("messaging.destination.name", topic),
            ("messaging.destination.partition.id", str(number)),
            ("messaging.system", "kafka"),
        ),
        envelope=ENVELOPE,
        note="" if end > start else "empty",
    )


def sample(target: Target) -> pl.Series:
    """Lines of the oldest and the newest messages of a partition, at most 600.

    Raises:
        SourceError: They cannot be read.
    """
    return _sample(target).lines["text"]


def unit(target: Target) -> int:
    """Bytes of a message as a line, about.

    Raises:
        SourceError: As ``sample``.
    """
    return _sample(target).unit


@dataclass(frozen=True, slots=True)
class _Sample:
    """Some messages, and when they were read."""

    lines: pl.DataFrame
    moment: float

    @property
    def unit(self) -> int:
        sizes = self.lines.select(pl.col("text").str.len_bytes() + pl.col("cut_bytes").fill_null(0)).to_series()
        return int(sizes.sum()) // len(sizes) if len(sizes) else 1


def _sample(target: Target) -> _Sample:
    with _lock:
        known = _samples.get(target.locator)
    if known is not None and time.monotonic() - known.moment < SAMPLE_S and known.lines.height:
        return known
    middle = min(target.start + SAMPLE, target.size)
    ranges = [(target.start, middle), (max(middle, target.size - SAMPLE), target.size)]
    found = _Sample(pl.concat([_lines(target, *one) for one in ranges]), time.monotonic())
    with _lock:
        _samples[target.locator] = found
        _samples.move_to_end(target.locator)
        while len(_samples) > 1 and sum(one.lines.estimated_size() for one in _samples.values()) > SAMPLES_BYTES:
            _samples.popitem(last=False)
    return found


def _lines(target: Target, start: int, end: int) -> pl.DataFrame:
    """The first lines of a range, empty where there are none."""
    if start >= end:
        return pl.DataFrame(schema=SCHEMA)
    split = Split(target.source, target.locator, target.generation, start, end)
    with Messages(split, _CHUNK_BYTES, _VALUE_BYTES) as reading:
        first = next(iter(reading), None)
    if first is None and reading.problem:
        raise SourceError(reading.problem)
    return pl.DataFrame(schema=SCHEMA) if first is None else first


def identified(target: Target, known: Sequence[Checkpoint]) -> Identity:
    """Which generation of a partition this is, and from where it is new.

    A topic that was deleted and made anew has another id. Where its broker tells none, it is another one if it is
    shorter than what the lake has, or if the last message that the lake has is another there.

    Args:
        target: The partition.
        known: What the ledger has of its source.

    Raises:
        SourceError: That message cannot be asked for now.
    """
    ends = {one.generation: one for one in known}
    generation = _generation(target, ends)
    end = ends[generation].end if generation in ends else 0
    note = ""
    if ends and generation not in ends:
        note = "begins anew: the topic of this name that was read before was deleted"
    elif target.start and not ends:
        note = f"begins at offset {target.start:,}: what was before it is gone"
    exhausted = end >= target.size
    lost = _lost(target, end) if generation in ends else ""
    return Identity(target.source, generation, max(end, target.start), 0, "", note=note, exhausted=exhausted, lost=lost)


def _generation(target: Target, ends: dict[str, Checkpoint]) -> str:
    named = not target.generation.startswith(_UNNAMED)
    if named and target.generation in ends:
        return target.generation
    last = max((one for one in ends if one.startswith(_UNNAMED)), default=None)
    if last is None:
        return target.generation
    if _goes_on(target, ends[last]):
        return last  # also where the broker was upgraded since, and tells ids by now
    return target.generation if named else _unnamed(int(last, 16) + 1)


def _goes_on(target: Target, checkpoint: Checkpoint) -> bool:
    """Whether a partition has before a checkpoint what was read there; what retention took was that."""
    if target.size < checkpoint.end:
        return False
    last = checkpoint.end - 1
    if not checkpoint.tail_size or last < target.start:
        return True
    split = Split(target.source, target.locator, target.generation, last, checkpoint.end)
    with Messages(split, _CHUNK_BYTES, _VALUE_BYTES) as reading:
        for _ in reading:
            pass
    if reading.problem:
        raise SourceError(reading.problem)
    return reading.tail_hash in ("", checkpoint.tail_hash)


def _lost(target: Target, end: int) -> str:
    """What was gone before it was read, as a sentence, or empty."""
    if end < target.start:
        return (
            f"cannot read {target.path} from offset {end:,}: {target.start - end:,} offsets were removed before they "
            "were read, by retention or by hand; read it more often, or let the topic keep its messages longer"
        )
    if end > target.size:
        return (
            f"cannot read on {target.path} at offset {end:,}: it ends at {target.size:,} now, its brokers have lost "
            "what the lake has; what comes below that offset is not read: see to the brokers"
        )
    return ""


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _unnamed(number: int) -> str:
    return f"{number:016x}"
