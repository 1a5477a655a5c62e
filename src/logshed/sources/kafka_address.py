"""Addresses of topics: ``kafka://broker:9092/topic``, with wildcards, of one partition ``#`` and its number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from logshed.errors import UsageError
from logshed.sources import kafka_client
from logshed.sources.model import TOPIC

_ADDRESS = re.compile(
    r"kafka://(?P<brokers>[^/]*)/(?P<topic>[A-Za-z0-9._\-*?\[\]!]{1,249})(?:#(?P<number>[0-9]{1,9}))?"
)
_BROKERS = re.compile(r"[A-Za-z0-9._\-\[\]:]+(?:,[A-Za-z0-9._\-\[\]:]+)*")
_MAGIC = re.compile(r"[*?\[]")
_INTERNAL = "__"
"""What the names of topics begin with that brokers keep for themselves."""


@dataclass(frozen=True, slots=True)
class TopicAddress:
    """Topics of a cluster.

    Attributes:
        brokers: Whom to ask, ``host:port,host:port``.
        topic: A name, or a pattern of names.
        number: The partition; None for all.
    """

    brokers: str
    topic: str
    number: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address; one that names no brokers means those of the settings.

        Raises:
            UsageError: It is none.
        """
        if "@" in text:
            raise UsageError(f"cannot read {text.rpartition('@')[2]}: an address holds no password; set [kafka] user")
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise UsageError(f"cannot read {text}: that is no address of a topic; write kafka://broker:9092/topic")
        brokers = match["brokers"] or kafka_client.used().brokers
        if not _BROKERS.fullmatch(brokers):
            raise UsageError(
                f"cannot read {text}: it names no brokers; write kafka://broker:9092/…, or set [kafka] brokers"
            )
        return cls(brokers, match["topic"], None if match["number"] is None else int(match["number"]))

    @property
    def has_wildcards(self) -> bool:
        """Whether it may stand for several topics."""
        return _MAGIC.search(self.topic) is not None

    def fits(self, topic: str) -> bool:
        """Whether a topic is meant; those that brokers keep for themselves only by a pattern that begins so."""
        if not self.has_wildcards:
            return topic == self.topic
        hidden = topic.startswith(_INTERNAL) and not self.topic.startswith(_INTERNAL)
        return not hidden and fnmatchcase(topic, self.topic)

    def locator(self, topic: str, number: int) -> str:
        """The address of one partition."""
        return f"{TOPIC}{self.brokers}/{topic}#{number}"


def is_address(path: str) -> bool:
    """Whether a path is an address of topics."""
    return path.startswith(TOPIC)
