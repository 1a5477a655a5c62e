"""Asks Kafka's brokers: which topics there are, from where to where they reach, and their messages. It only reads."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from logshed.errors import SourceError
from logshed.kafka_settings import KafkaAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
    from confluent_kafka.admin import AdminClient, OffsetSpec

log = logging.getLogger(__name__)

QUEUED_KB = 16 * 1024
"""Messages that the client holds ahead of a reader."""
_FIXED: dict[str, Any] = {
    "client.id": "logshed",
    "log_level": 2,  # what breaks is told by errors
    "socket.keepalive.enable": True,
    "reconnect.backoff.max.ms": 2000,
}
_READING: dict[str, Any] = {
    "group.id": "logshed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # an offset that is not there is told, never passed over
    "enable.partition.eof": True,
    "queued.max.messages.kbytes": QUEUED_KB,
    "fetch.wait.max.ms": 100,
    "fetch.error.backoff.ms": 100,
    "check.crcs": True,
}

_CONSUMING = frozenset({"group.id", "isolation.level"})
"""What only who reads is told."""

_access = KafkaAccess()


def use(access: KafkaAccess) -> None:
    """Reach clusters so from now on in this process."""
    global _access  # noqa: PLW0603 - what is read by address in every thread is reached in one way
    _access = access


def used() -> KafkaAccess:
    """How clusters are reached."""
    return _access


class _Causes:
    """What a client has told of its connections: why nothing comes."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, error: KafkaError) -> None:
        if error.name() != "_ALL_BROKERS_DOWN" or not self.last:
            self.last = error.str()


class Cluster:
    """A cluster that is asked.

    Args:
        admin: The client.
    """

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin

    def topics(self) -> tuple[str, dict[str, list[int]]]:
        """The cluster's id, or empty, and the partitions of its topics; none is made by asking for it."""
        found = self._admin.list_topics(timeout=_access.seconds)  # without a name: one that is named may be made
        return found.cluster_id or "", {topic: sorted(one.partitions) for topic, one in found.topics.items()}

    def ids(self, names: Iterable[str]) -> dict[str, str]:
        """The id that each topic was created with; empty from brokers that tell none (before Kafka 2.8)."""
        from confluent_kafka import TopicCollection  # noqa: PLC0415 - an extra

        asked = self._admin.describe_topics(TopicCollection(list(names)), request_timeout=_access.seconds)
        found = {name: one.result(_access.seconds).topic_id for name, one in asked.items()}
        return {name: str(one) if one.get_most_significant_bits() else "" for name, one in found.items()}

    def bounds(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int] | SourceError]:
        """The first offset that is there and the one behind the last of each partition, or why that cannot be told."""
        from confluent_kafka import KafkaException, TopicPartition  # noqa: PLC0415 - an extra
        from confluent_kafka.admin import OffsetSpec  # noqa: PLC0415 - an extra

        wanted = [TopicPartition(topic, number) for topic, number in partitions]
        first, last = (self._offsets(wanted, spec) for spec in (OffsetSpec.earliest(), OffsetSpec.latest()))
        found: dict[tuple[str, int], tuple[int, int] | SourceError] = {}
        for key, future in last.items():
            try:
                found[key] = first[key].result(_access.seconds).offset, future.result(_access.seconds).offset
            except KafkaException as error:
                found[key] = told(f"{key[0]}#{key[1]}", error.args[0].str())
        return found

    def _offsets(self, wanted: list[TopicPartition], spec: OffsetSpec) -> dict[tuple[str, int], Any]:
        from confluent_kafka import IsolationLevel  # noqa: PLC0415 - an extra

        committed = ("isolation.level", "read_uncommitted") not in _access.options
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        asked = self._admin.list_offsets(
            dict.fromkeys(wanted, spec), isolation_level=level, request_timeout=_access.seconds
        )
        return {(one.topic, one.partition): future for one, future in asked.items()}


@contextmanager
def consumer(brokers: str) -> Iterator[tuple[Consumer, Callable[[], str]]]:
    """A client to read with, and what gives the last cause of trouble.

    Each reading has its own: librdkafka 2.16 may crash where a client lives on after a topic that it has read was
    deleted and made anew (its issues 4778 and 4964). One costs some milliseconds.

    Raises:
        SourceError: The library is not installed, or a setting is of no use to it.
    """
    causes = _Causes()
    with _usable(brokers):
        from confluent_kafka import Consumer  # noqa: PLC0415 - an extra

        client = Consumer({**_READING, **_config(brokers, causes)}, logger=log)
    try:
        yield client, lambda: causes.last
    finally:
        client.close()


def assign(client: Consumer, topic: str, number: int, offset: int) -> None:
    """Read a partition from an offset on, as no member of a group: nothing of it is noted at the brokers."""
    from confluent_kafka import TopicPartition  # noqa: PLC0415 - an extra

    client.assign([TopicPartition(topic, number, offset)])


def told(what: str, cause: str) -> SourceError:
    """Why something cannot be read."""
    return SourceError(f"cannot read {what}: {cause.strip()}; check [kafka] in logshed.toml and the brokers")


@contextmanager
def cluster(brokers: str) -> Iterator[Cluster]:
    """What asks a cluster; as of ``consumer``, one does not live long.

    Raises:
        SourceError: The library is not installed, a setting is of no use to it, or no broker answers.
    """
    causes = _Causes()
    with _usable(brokers):
        from confluent_kafka import KafkaException  # noqa: PLC0415 - an extra
        from confluent_kafka.admin import AdminClient  # noqa: PLC0415 - an extra

        config = {name: value for name, value in _config(brokers, causes).items() if name not in _CONSUMING}
        admin = AdminClient(config, logger=log)
    try:
        yield Cluster(admin)
    except (KafkaException, TimeoutError) as error:
        admin.poll(0)  # lets the client say what its connections broke by
        raise told(f"kafka://{brokers}", causes.last or _cause(error)) from None


def _config(brokers: str, causes: _Causes) -> dict[str, Any]:
    return {**_FIXED, **dict(_access.options), "bootstrap.servers": brokers, "error_cb": causes}


def _cause(error: KafkaException | TimeoutError) -> str:
    return str(error.args[0].str()) if error.args else "the brokers did not answer in time"


@contextmanager
def _usable(brokers: str) -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise SourceError(
            f"cannot read kafka://{brokers}: the package confluent-kafka is not installed; pip install 'logshed[kafka]'"
        ) from None
    except Exception as error:
        if type(error).__name__ != "KafkaException":
            raise
        raise told(f"kafka://{brokers}", error.args[0].str()) from None
