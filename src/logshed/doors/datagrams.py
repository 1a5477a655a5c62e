"""Opens UDP to clients that push logs. Nothing makes a sender of datagrams wait: what there is no room for is counted.

Datagrams wait by sender, and no sender may fill the whole room: one that floods loses its own.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logshed.doors.senders import Counts, Sender, named
from logshed.errors import LogshedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from logshed.doors.senders import Take
    from logshed.receivers.streaming import Step

ROOM, ROOM_OF_ONE = 2**24, 2**22
"""Bytes of datagrams that may wait, of all senders and of one."""
EACH = 64
"""Bytes that a datagram takes of the room beyond its own."""
AT_ONCE = 256
"""Datagrams that are read before others have their turn."""
LAST = 64
"""How often it is read once the door closes, however many come on."""
SYSTEM_ROOM = 2**23
"""Bytes that the system is asked to keep until they are read; it may allow fewer."""
_LARGEST = 2**16
_MEMORY_INFO, _WORDS, _DROPS = 55, 9, 8  # Linux: SO_MEMINFO, and which of its words counts drops
log = logging.getLogger(__name__)


class Datagrams:
    """A door for datagrams of one protocol.

    Args:
        decode: Makes records of datagrams by sender.
        take: Puts records on disk; they are of several senders.
        bound: The socket; it stays open.
    """

    def __init__(
        self, decode: Callable[[Mapping[str, Sequence[bytes]], datetime], Step], take: Take, bound: socket.socket
    ) -> None:
        self._decode, self._take, self._socket = decode, take, bound
        self.counts = Counts()
        self._waiting: defaultdict[str, list[bytes]] = defaultdict(list)
        self._of: defaultdict[str, int] = defaultdict(int)
        self._size = 0
        self._closing = False
        self._some = asyncio.Event()
        self._names: dict[str, str] = {}
        bound.setblocking(False)
        with suppress(OSError):  # it goes on with what room the system gives
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SYSTEM_ROOM)

    @property
    def dropped(self) -> int:
        """Datagrams that were lost for lack of room, here and in the system (on Linux, which tells)."""
        return self.counts.dropped + self._dropped_by_system()

    async def serve(self) -> None:
        """Take datagrams until the door is closed, and what has come by then."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._read)
        try:
            while not self._closing:
                await self._some.wait()
                await self._flow()
        finally:
            loop.remove_reader(self._socket)
        for _ in range(LAST):
            self._read()
            if not self._waiting:
                break
            await self._flow()

    def close(self) -> None:
        """Let ``serve`` end."""
        self._closing = True
        self._some.set()

    async def _flow(self) -> None:
        waiting, self._waiting = self._waiting, defaultdict(list)
        self._of.clear()
        self._size = 0
        self._some.clear()
        step = self._decode(waiting, datetime.now(UTC))
        if not step.decoded.parts:
            return
        lost = sum(map(len, waiting.values()))
        try:
            await self._take(step.decoded, Sender(""))
            lost = 0
        except LogshedError as error:
            log.warning("%s; %d datagrams are lost", error, lost)
            return
        finally:
            self.counts.dropped += lost
        self.counts.add(step)
        if step.cut:
            log.warning("%d datagrams were longer than allowed, and lost their ends", step.cut)

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, address = self._socket.recvfrom(_LARGEST)
            except (BlockingIOError, InterruptedError):
                break
            peer = self._named(address[0])
            room = len(data) + EACH
            self.counts.bytes += len(data)
            if self._size + room > ROOM or self._of[peer] + room > ROOM_OF_ONE:
                self.counts.dropped += 1
                continue
            self._waiting[peer].append(data)
            self._of[peer] += room
            self._size += room
        if self._waiting:
            self._some.set()

    def _named(self, address: str) -> str:
        name = self._names.get(address)
        if name is None:
            if len(self._names) >= _LARGEST:  # senders can be forged
                self._names.clear()
            name = self._names[address] = named(address)
        return name

    def _dropped_by_system(self) -> int:
        if not sys.platform.startswith("linux"):
            return 0
        told = self._socket.getsockopt(socket.SOL_SOCKET, _MEMORY_INFO, 4 * _WORDS)
        words = struct.unpack(f"{len(told) // 4}I", told)
        return int(words[_DROPS]) if len(words) > _DROPS else 0
