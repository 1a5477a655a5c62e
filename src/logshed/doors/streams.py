"""Opens TCP and TLS to clients that push logs: syslog's stream, Fluentd's forward, or another that is talked to alike.

A connection is read ahead of the disk by some megabytes and no further, so that whoever sends too fast waits, and only
they. Each connection has its turn; connections, those of one address, and what all hold of messages that have
not come whole are limited, and so is the time for a handshake, for a message, and for taking an answer.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.doors.accepting import clients
from logshed.doors.ahead import Ahead, Room, together
from logshed.doors.senders import Counts, Limits, Sender
from logshed.errors import LogshedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.doors.senders import Take
    from logshed.receivers.streaming import Step, Talk

READ = 2**17
"""Bytes that are read at once; twice as many may wait in memory for a connection."""
MANY = 2**14
"""Bytes that take long where a protocol's do."""
LAST = 2
"""How often a connection is read once the door closes: what waits in memory then."""
SLOWEST = 4096
"""Bytes a second that a message has to come with, beyond the time that every message has."""
log = logging.getLogger(__name__)


class _ClosedError(Exception):
    """A connection that the door closes, and the count that it goes to."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Streams:
    """A door for connections of one protocol.

    Args:
        talk: Begins a talk with the client of an address.
        take: Puts records on disk.
        limits: What is allowed.
        tls: To speak TLS.
    """

    def __init__(
        self,
        talk: Callable[[str], Talk],
        take: Take,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.talk, self.take, self.limits, self.tls = talk, take, limits or Limits(), tls
        self.counts = Counts()
        self.held = 0
        self.room = Room()
        self.closing = False
        self._of: Counter[str] = Counter()
        self._tasks: dict[asyncio.Task[None], _Connection] = {}

    async def serve(self, listening: socket.socket) -> None:
        """Let clients in until cancelled; the socket stays open."""
        listening.setblocking(False)
        async for accepted, peer in clients(listening):
            self._let_in(accepted, peer)

    async def close(self, grace: float = 10) -> None:
        """Take what has come, and send all away; those that are not done in time are cut off.

        Args:
            grace: Seconds.
        """
        self.closing = True
        for connection in self._tasks.values():
            connection.hurry()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _let_in(self, accepted: socket.socket, peer: str) -> None:
        if self.closing or self.counts.open >= self.limits.connections or self._of[peer] >= self.limits.of_one:
            self.counts.turned_away += 1
            accepted.close()
            return
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.counts.open += 1
        self.counts.opened += 1
        self._of[peer] += 1
        connection = _Connection(self, peer)
        task = asyncio.create_task(connection.run(accepted))
        self._tasks[task] = connection
        task.add_done_callback(lambda done: self._out(done, peer))

    def _out(self, task: asyncio.Task[None], peer: str) -> None:
        del self._tasks[task]
        self.counts.open -= 1
        self._of[peer] -= 1
        if not self._of[peer]:
            del self._of[peer]
        if not task.cancelled() and (error := task.exception()):
            log.error("a connection ended by a fault of this program", exc_info=error)


class _Connection:
    """One client."""

    def __init__(self, door: Streams, peer: str) -> None:
        self._door, self._limits, self._counts = door, door.limits, door.counts
        self._peer, self._talk = peer, door.talk(peer)
        self._held = 0
        self._begun = 0.0
        self._last = 0
        self._wait: asyncio.Timeout | None = None

    def hurry(self) -> None:
        """Wait for nothing more that may come."""
        if self._wait is not None:
            self._wait.reschedule(asyncio.get_running_loop().time())

    async def run(self, accepted: socket.socket) -> None:
        """Talk until either side ends it."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=READ)
        protocol = asyncio.StreamReaderProtocol(reader)
        tls, within = self._door.tls, self._limits.slow_seconds if self._door.tls else None
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, accepted, ssl=tls, ssl_handshake_timeout=within
            )
        except (OSError, ssl.SSLError):
            self._counts.broken += 1
            accepted.close()
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await self._converse(reader, writer)
            writer.close()
            async with asyncio.timeout(self._limits.slow_seconds):
                await writer.wait_closed()
        except _ClosedError as closed:
            setattr(self._counts, closed.why, getattr(self._counts, closed.why) + 1)
        except TimeoutError:
            self._counts.slow += 1
        except OSError:
            self._counts.broken += 1
        finally:
            self._door.held -= self._held
            transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = Sender(self._peer, _certified(writer))
        self._begun = asyncio.get_running_loop().time()
        await self._tell(writer, self._talk.hello())
        ahead = Ahead(lambda steps: self._given(writer, steps, sender), self._door.room, reader.set_exception)
        try:
            try:
                await self._read(reader, ahead)
            except (_ClosedError, OSError):
                await ahead.end()  # what came of it is kept
                raise
            await ahead.end()
        finally:
            ahead.drop()

    async def _read(self, reader: asyncio.StreamReader, ahead: Ahead) -> None:
        while data := await self._more(reader):
            self._counts.bytes += len(data)
            if not self._held:
                self._begun = asyncio.get_running_loop().time()
            more = True
            while more:
                step = await self._feed(data)
                self._hold()
                if step.decoded.parts or not self._talk.held:
                    self._begun = asyncio.get_running_loop().time()
                await ahead.add(step)
                if step.over:
                    return
                data, more = b"", step.more
        await ahead.add(self._talk.end(datetime.now(UTC)))

    async def _feed(self, data: bytes) -> Step:
        now = datetime.now(UTC)
        if self._talk.heavy and (self._held + len(data) > MANY or not data):
            return await asyncio.to_thread(self._talk.feed, data, now)
        return self._talk.feed(data, now)

    async def _more(self, reader: asyncio.StreamReader) -> bytes:
        """The next bytes; none at the end, and none that come after the door closes."""
        now = asyncio.get_running_loop().time()
        within = self._talk.held or not self._talk.ready
        until = self._begun + self._limits.slow_seconds + self._talk.held / SLOWEST
        try:
            async with asyncio.timeout_at(until if within else now + self._limits.idle_seconds) as self._wait:
                if self._door.closing:
                    self._last += 1
                    self.hurry()
                return await reader.read(READ) if self._last <= LAST else b""
        except TimeoutError:
            if self._door.closing:
                return b""
            if self._talk.held and self._talk.ready:  # what came of a message is not lost with the connection
                self._counts.slow += 1
                return b""
            raise _ClosedError("slow" if within else "idle") from None
        finally:
            self._wait = None

    async def _given(self, writer: asyncio.StreamWriter, steps: Sequence[Step], sender: Sender) -> None:
        """Put the records of steps on disk, and answer them."""
        decoded = together(steps)
        if decoded.parts or decoded.refused:
            if self._talk.user:
                sender = sender._replace(user=self._talk.user)
            try:
                await self._door.take(decoded, sender)
            except LogshedError as error:
                log.warning("%s; the connection of %s is closed", error, self._peer)
                raise _ClosedError("failed") from None
            for step in steps:
                self._counts.add(step)
            if cut := sum(step.cut for step in steps):
                log.warning("%d messages of %s were longer than allowed, and lost their ends", cut, self._peer)
        await self._tell(writer, b"".join(step.answer for step in steps))
        if over := steps[-1].over:
            log.warning("the connection of %s is closed: %s", self._peer, over)
            raise _ClosedError("wrong")

    async def _tell(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        if answer:
            writer.write(answer)
            async with asyncio.timeout(self._limits.slow_seconds):
                await writer.drain()

    def _hold(self) -> None:
        """Note how much is held of a message that has not come whole."""
        held = self._talk.held
        self._door.held += held - self._held
        self._held = held
        if self._door.held > self._limits.held_bytes:
            raise _ClosedError("turned_away")


def _certified(writer: asyncio.StreamWriter) -> str:
    """The name in the certificate that a client showed; empty where it showed none."""
    shown: Any = writer.get_extra_info("peercert") or {}
    return next((value for part in shown.get("subject", ()) for name, value in part if name == "commonName"), "")
