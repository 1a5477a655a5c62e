"""A connection of HTTP as uvicorn speaks it, with an end to what clients may leave undone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import uvicorn
    from uvicorn.server import ServerState

    from logshed.doors.http_limits import HttpLimits
    from logshed.doors.senders import Counts

READ = 65_536
"""Bytes that are read at once: as many again wait in memory for each connection whose request waits."""
MOST_WASTE = 2**18
"""Bytes of a body's pieces that are no body, beyond as many as there are of it: pieces of a byte or two each cost as
much work as large ones."""
_BEFORE = (h11.IDLE, h11.SEND_RESPONSE)


class Owner(Protocol):
    """What a connection asks of its door."""

    limits: HttpLimits
    counts: Counts
    config: uvicorn.Config
    state: ServerState

    def left(self, connection: Connection) -> None:
        """A connection is no more."""


class Connection(H11Protocol):
    """One client.

    Args:
        door: Its limits, counts and settings.
        peer: The client's address.

    Attributes:
        made: Whether it was made, TLS included; then ``left`` is called once at its end.
    """

    def __init__(self, door: Owner, peer: str) -> None:
        super().__init__(door.config, door.state, {}, asyncio.get_running_loop())
        self._door, self.peer, self.made = door, peer, False
        self._head: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._waste = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but not long."""
        super().connection_made(transport)
        self.made = True
        made: Any = transport
        made.max_size = READ
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Read on; the headers of a request have their time from their first byte on."""
        self._door.counts.bytes += len(data)
        cycle = self.cycle
        before = len(cycle.body) if cycle is not None else 0
        super().data_received(data)
        if self.busy:
            self._unset_head()
            self._weigh(len(data), len(self.cycle.body) - before if self.cycle is cycle else None)
        elif self._head is None and not self.transport.is_closing():
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._unset_head()
        self._unset_taking()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._door.left(self)

    def pause_writing(self) -> None:
        """Wait for the client to take its answer, but not long."""
        super().pause_writing()
        if self._taking is None:
            self._taking = self.loop.call_later(self._door.limits.answer_seconds, self._too_slow)

    def resume_writing(self) -> None:
        """The client took some."""
        self._unset_taking()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Tell what is no HTTP, unless an answer has begun; its request, if there is one, gets no more of it."""
        self._door.counts.wrong += 1
        if self.conn.our_state in _BEFORE:
            super().send_400_response(msg)
        else:
            self.transport.abort()
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def timeout_keep_alive_handler(self) -> None:
        """End it: no request came."""
        self._door.counts.idle += 1
        self.transport.abort()

    @property
    def busy(self) -> bool:
        """Whether a request is being read or answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def leave(self) -> None:
        """End it once nothing runs."""
        if self.busy:
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def _weigh(self, came: int, grown: int | None) -> None:
        """End it where a body comes in pieces that are hardly more than their frames.

        Args:
            came: Bytes.
            grown: How many of them are of the body; None at the beginning of a request.
        """
        self._waste = 0 if grown is None else self._waste + max(0, came - 2 * grown)
        if self._waste > MOST_WASTE:
            self._door.counts.wrong += 1
            self.transport.abort()

    def _wait_for_head(self) -> None:
        self._head = self.loop.call_later(self._door.limits.header_seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._door.counts.slow += 1
        self.transport.abort()

    def _unset_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _unset_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
