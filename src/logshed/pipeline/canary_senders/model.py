"""What a canary gives its senders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICE = "logshed-canary"
"""What lines say that they are of, where a protocol has a place for it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INFO = 9
"""OpenTelemetry's severity of all lines."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines that go out together.

    Attributes:
        key: What tells them from others; the same where they are sent again.
        collection: Asked for where the protocol has a place for it.
        first: Number of the first; the others follow it.
        micros: When each was sent, in microseconds since 1970.
        texts: The lines.
    """

    key: str
    collection: str
    first: int
    micros: Sequence[int]
    texts: Sequence[str]


class Sender(Protocol):
    """Sends lines by one protocol."""

    @property
    def acknowledges(self) -> bool:
        """Whether the protocol tells that lines were taken; else they were handed to the network, no more."""
        ...

    def send(self, batch: Batch) -> None:
        """Send lines, and wait until they are acknowledged where the protocol does that.

        Raises:
            DeliveryError: They were not taken.
        """
        ...

    def close(self) -> None:
        """Let go."""
        ...


def iso(micros: int) -> str:
    """A moment in ISO 8601, UTC, with microseconds."""
    return (_EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
