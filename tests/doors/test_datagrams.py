"""Datagrams are taken by sender; what there is no room for is counted, and nobody's flood takes another's room."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from logging.handlers import SysLogHandler
from typing import TYPE_CHECKING

import pytest

from logshed.doors import datagrams
from logshed.doors.datagrams import Datagrams
from logshed.errors import SpoolFullError
from logshed.receivers import syslog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from logshed.doors.senders import Sender
    from logshed.receivers.model import Decoded

SECONDS = 60


@dataclass
class Opened:
    """A door of a test, and what was taken."""

    lines: dict[str, list[bytes]] = field(default_factory=dict)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    full: bool = False
    port: int = 0
    door: Datagrams | None = None

    async def take(self, decoded: Decoded, sender: Sender) -> None:
        """Keep what the door hands over, or wait."""
        assert sender.peer == ""
        if self.full:
            raise SpoolFullError("cannot write to the spool: it is full; ingest it")
        await self.room.wait()
        for part in decoded.parts:
            self.lines.setdefault(part.stream, []).extend(part.lines.splitlines())

    @property
    def count(self) -> int:
        """How many were taken."""
        return sum(map(len, self.lines.values()))

    def send(self, *bodies: bytes, host: str = "127.0.0.1") -> None:
        """Send datagrams to the door."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.bind((host, 0))
            for body in bodies:
                sending.sendto(body, ("127.0.0.1", self.port))


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110 - nothing of what is waited for tells when it is so
            await asyncio.sleep(0.005)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Opened, Datagrams]]:
    test = Opened()
    test.room.set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        test.port = bound.getsockname()[1]
        door = Datagrams(syslog.datagrams, test.take, bound)
        serving = asyncio.create_task(door.serve())
        await asyncio.sleep(0)
        yield test, door
        test.room.set()
        door.close()
        await asyncio.wait_for(serving, SECONDS)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(test())  # type: ignore[arg-type]


def test_pythons_handler_delivers_by_udp() -> None:
    async def test() -> None:
        async with opened() as (test, door):
            handler = SysLogHandler(("127.0.0.1", test.port))
            for number in range(50):
                handler.handle(logging.LogRecord("x", logging.INFO, "", 1, "app: line %d", (number,), None))
            handler.close()
            await eventually(lambda: test.count == 50)
            assert test.lines == {"127.0.0.1": [b"<14>app: line %d" % number for number in range(50)]}
            assert (door.counts.records, door.dropped) == (50, 0)

    run(test)


def test_each_sender_has_a_stream() -> None:
    async def test() -> None:
        async with opened() as (test, _):
            test.send(b"<13>a", b"<13>b")
            test.send(b"<13>c", host="127.0.0.2")
            await eventually(lambda: test.count == 3)
            assert test.lines == {"127.0.0.1": [b"<13>a", b"<13>b"], "127.0.0.2": [b"<13>c"]}

    run(test)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="127.0.0.2 is an address of Linux")
def test_a_flood_loses_its_own_and_each_lost_datagram_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "ROOM_OF_ONE", 100_000)

    async def test() -> None:
        async with opened() as (test, door):
            test.room.clear()
            test.send(b"<13>first")
            await eventually(lambda: door.counts.bytes > 0)
            await asyncio.sleep(0.01)
            for _ in range(20):
                test.send(*[b"<13>" + b"f" * 996] * 20)
                await asyncio.sleep(0.005)
            test.send(b"<13>quiet", host="127.0.0.2")
            await asyncio.sleep(0.05)
            test.room.set()
            await eventually(lambda: "127.0.0.2" in test.lines)
            assert test.lines["127.0.0.2"] == [b"<13>quiet"]
            assert 0 < door.counts.dropped < 400
            await eventually(lambda: test.count + door.dropped == 402)

    run(test)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not tell")
def test_what_the_system_drops_is_counted_too() -> None:
    async def test() -> None:
        async with opened() as (test, door):
            for _ in range(12):  # nothing is read meanwhile, since this does not wait
                test.send(*[b"<13>" + b"f" * 60_000] * 100)
            await eventually(lambda: test.count + door.dropped == 1200)
            assert door.dropped > door.counts.dropped

    run(test)


def test_what_is_not_taken_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with opened() as (test, door):
            test.full = True
            test.send(b"<13>a", b"<13>b")
            await eventually(lambda: door.counts.dropped == 2)
            test.full = False
            test.send(b"<13>c")
            await eventually(lambda: test.count == 1)

    run(test)
    assert "cannot write to the spool" in caplog.text


def test_what_has_come_is_taken_when_the_door_closes() -> None:
    async def test() -> None:
        async with opened() as (test, _):
            test.send(*[b"<13>last"] * 300)
        assert test.count == 300

    run(test)
