"""How a connection is talked to: bytes in, records and answers out, whatever protocol it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from logshed.receivers.model import Decoded

NOTHING = Decoded(())
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """What some bytes of a connection come to.

    Attributes:
        decoded: The records that are whole now.
        answer: What is sent back once they are on disk.
        cut: How many of them were longer than allowed, and lost their ends.
        more: Whether messages that have come still wait: it has to be fed again, with nothing if nothing came.
        over: Why nothing more of the connection can be understood, so that it has to be closed; empty goes on.
    """

    decoded: Decoded = NOTHING
    answer: bytes = b""
    cut: int = 0
    more: bool = False
    over: str = ""


class Talk(Protocol):
    """The state of one connection."""

    @property
    def user(self) -> str:
        """Who the client has proved to be; empty where the protocol does not say."""
        ...

    @property
    def ready(self) -> bool:
        """Whether records may come: no handshake is under way."""
        ...

    @property
    def heavy(self) -> bool:
        """Whether many bytes take so long that others would wait: they are work for a thread."""
        ...

    @property
    def held(self) -> int:
        """Bytes of a message that has not come whole."""
        ...

    def hello(self) -> bytes:
        """What is sent before anything came."""
        ...

    def feed(self, data: bytes, now: datetime) -> Step:
        """Take bytes, however the network cut them."""
        ...

    def end(self, now: datetime) -> Step:
        """The client will send no more."""
        ...


def nanoseconds(moment: datetime) -> int:
    """A moment as nanoseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND * 1000
