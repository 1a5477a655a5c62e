"""What a destination is: the settings that it takes, and how much goes into one message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from logshed.alerts.common.message import Message

Send = Callable[[Message], None]
"""Sends one message, whole or not at all; raises ``AlertError`` where it was not taken."""

SendDocument = Callable[["Document"], None]
"""Sends one document, whole or not at all; raises ``AlertError`` where it was not taken."""

COMMON = frozenset(
    {"name", "to", "level", "confidence", "rules", "collections", "group", "rate", "quiet", "template", "options"}
)
"""Keys that every destination has."""

_EXAMPLES = {
    "url": 'write url = "env:NAME"',
    "host": 'write host = "logs.example.org"',
    "routing_key": 'write routing_key = "env:NAME"',
    "sender": 'write sender = "logshed@example.org"',
    "recipients": 'write recipients = ["ops@example.org"]',
}


@dataclass(frozen=True, slots=True)
class Document:
    """A text with files, such as a report.

    Attributes:
        title: A line.
        text: What is read first.
        files: Files by name, each with its media type.
    """

    title: str
    text: str
    files: dict[str, tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a destination is.

    Attributes:
        needs: Keys that must be set.
        takes: Keys that may be set.
        secret_url: Whether whoever knows the address may post to it, so that it must not stand in logshed.toml.
        batch: Findings that come in one message where they are not grouped; more than one for machines.
        rate: The rate where none is set; none for machines.
    """

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    secret_url: bool = False
    batch: int = 1
    rate: str | None = None

    def example(self, key: str) -> str:
        """How to write a key that is missing."""
        return _EXAMPLES.get(key, "set it, see docs/alerts.md")
