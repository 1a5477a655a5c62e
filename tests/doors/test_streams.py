"""Clients of syslog and of the forward protocol deliver by TCP and TLS; those that are slow or too many do not."""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha512
from logging.handlers import SysLogHandler
from typing import TYPE_CHECKING, Any, ClassVar

import msgpack
import orjson
import pytest
import trustme

from logshed.doors import ahead, streams
from logshed.doors.senders import Limits, Sender, named, tls_of
from logshed.doors.streams import Streams
from logshed.errors import DoorError, SpoolFullError
from logshed.receivers.forward import ENOUGH, Forward, Secrets
from logshed.receivers.syslog import Syslog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from logshed.receivers.model import Decoded
    from logshed.receivers.streaming import Step, Talk

SECONDS = 60
RSYSLOGD = shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


@dataclass
class Disk:
    """What was taken, in place of a spool."""

    lines: list[bytes] = field(default_factory=list)
    senders: set[Sender] = field(default_factory=set)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    full: bool = False
    most: int = 0

    async def take(self, decoded: Decoded, sender: Sender) -> None:
        """Keep what the door hands over, or wait."""
        if self.full:
            raise SpoolFullError("cannot write to the spool: it is full; ingest it")
        await self.room.wait()
        self.senders.add(sender)
        self.most = max(self.most, sum(part.records for part in decoded.parts))
        for part in decoded.parts:
            self.lines += part.lines.splitlines()


@dataclass
class Opened:
    """A door of a test."""

    door: Streams
    disk: Disk
    port: int

    async def until(self, count: int) -> list[bytes]:
        """What was taken, once it is so much."""
        await eventually(lambda: len(self.disk.lines) >= count)
        return self.disk.lines

    async def call(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the door."""
        return await asyncio.open_connection("127.0.0.1", self.port)


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110 - nothing of what is waited for tells when it is so
            await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(
    talk: Callable[[str], Talk] = Syslog, limits: Limits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Opened]:
    disk = Disk()
    disk.room.set()
    door = Streams(talk, disk.take, limits, tls)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(door.serve(listening))
        try:
            yield Opened(door, disk, listening.getsockname()[1])
        finally:
            serving.cancel()
            await door.close(1)
    assert (door.counts.open, door.held, door.room.taken) == (0, 0, 0)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(test())  # type: ignore[arg-type]


def forward(_: str) -> Forward:
    return Forward()


def test_pythons_handler_delivers_by_tcp() -> None:
    def send(port: int) -> None:
        handler = SysLogHandler(("127.0.0.1", port), socktype=socket.SOCK_STREAM)
        handler.setFormatter(logging.Formatter("worker: %(message)s"))
        for number in range(50):
            handler.handle(logging.LogRecord("x", logging.WARNING, "", 1, "line %d", (number,), None))
        handler.close()

    async def test() -> None:
        async with opened() as door:
            await asyncio.to_thread(send, door.port)
            assert await door.until(50) == [b"<12>worker: line %d" % number for number in range(50)]
            assert door.disk.senders == {Sender("127.0.0.1")}

    run(test)


RSYSLOG = """
module(load="imfile")
input(type="imfile" file="{folder}/in.log" tag="app:" facility="local3")
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" template="{template}" {more}
       action.resumeRetryCount="-1" action.resumeInterval="1")
"""


@pytest.mark.skipif(RSYSLOGD is None, reason="rsyslog is not installed")
@pytest.mark.parametrize(
    ("template", "more", "begins"),
    [
        ("RSYSLOG_TraditionalForwardFormat", 'TCP_Framing="traditional"', b"<157>"),
        ("RSYSLOG_SyslogProtocol23Format", 'TCP_Framing="octet-counted"', b"<157>1 "),
    ],
)
def test_rsyslog_delivers_by_lines_and_by_counts(tmp_path: Path, template: str, more: str, begins: bytes) -> None:
    async def test() -> None:
        async with opened() as door:
            (tmp_path / "in.log").write_text("".join(f"line {number}\n" for number in range(500)))
            settings = RSYSLOG.format(folder=tmp_path, port=door.port, template=template, more=more)
            (tmp_path / "rsyslog.conf").write_text(settings)
            command = [str(RSYSLOGD), "-n", "-f", tmp_path / "rsyslog.conf", "-i", tmp_path / "pid"]
            daemon = await asyncio.to_thread(subprocess.Popen, command)
            try:
                lines = [one for one in await door.until(500) if b"app: line " in one or b" app - - - line " in one]
                await eventually(lambda: len(door.disk.lines) >= 500)
            finally:
                daemon.terminate()
                await asyncio.to_thread(daemon.wait)
        assert all(one.startswith(begins) for one in lines)
        assert {one.rpartition(b" ")[2] for one in door.disk.lines} >= {b"%d" % number for number in range(500)}

    run(test)


def test_fluent_logger_delivers_each_event() -> None:
    library = pytest.importorskip("fluent.sender")

    def send(port: int) -> None:
        with library.FluentSender("shop", host="127.0.0.1", port=port, nanosecond_precision=True) as sender:
            for number in range(50):
                assert sender.emit("web", {"message": f"line {number}"})
            sender.emit_with_time("web", 1_795_694_400, {"user": "ann", "paid": 9.5})

    async def test() -> None:
        async with opened(forward) as door:
            await asyncio.to_thread(send, door.port)
            found = [orjson.loads(line) for line in await door.until(51)]
            assert [one["body"] for one in found[:50]] == [f"line {number}" for number in range(50)]
            assert found[50]["time_unix_nano"] == 1_795_694_400 * 10**9
            assert orjson.loads(found[50]["body"]) == {"user": "ann", "paid": 9.5}
            assert {one["attributes"]["fluent.tag"] for one in found} == {"shop.web"}

    run(test)


def test_an_acknowledgement_waits_for_the_disk() -> None:
    async def test() -> None:
        async with opened(forward) as door:
            door.disk.room.clear()
            reader, writer = await door.call()
            writer.write(msgpack.packb(["t", [[1, {"a": 1}]], {"chunk": "c1"}]))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(100), 0.1)
            door.disk.room.set()
            assert msgpack.unpackb(await asyncio.wait_for(reader.read(100), SECONDS)) == {"ack": "c1"}
            writer.close()

    run(test)


def test_records_that_are_packed_in_few_bytes_are_taken_some_at_a_time() -> None:
    async def test() -> None:
        async with opened(forward) as door:
            reader, writer = await door.call()
            packed = gzip.compress(msgpack.packb([1, {}]) * (ENOUGH + 1))
            message = msgpack.packb(["t", packed, {"compressed": "gzip", "chunk": "c"}])
            writer.write(message * 3)
            acknowledged = msgpack.packb({"ack": "c"})
            assert await asyncio.wait_for(reader.readexactly(3 * len(acknowledged)), SECONDS) == acknowledged * 3
            assert len(door.disk.lines) == 3 * (ENOUGH + 1)
            assert door.disk.most == ENOUGH + 1
            writer.close()

    run(test)


def test_records_that_are_not_taken_are_not_acknowledged() -> None:
    async def test() -> None:
        async with opened(forward) as door:
            door.disk.full = True
            reader, writer = await door.call()
            writer.write(msgpack.packb(["t", [[1, {"a": 1}]], {"chunk": "c1"}]))
            assert await asyncio.wait_for(reader.read(100), SECONDS) == b""
            assert (door.door.counts.failed, door.door.counts.records) == (1, 0)
            writer.close()

    run(test)


async def send_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write((b"<13>" + b"x" * 995 + b"\n") * 1000)
        await writer.drain()


def test_a_client_that_is_not_read_waits_and_others_do_not() -> None:
    async def test() -> None:
        async with opened() as door:
            door.disk.room.clear()
            _, flood = await door.call()
            flood.transport.set_write_buffer_limits(0)
            flooding = asyncio.create_task(send_for_ever(flood))
            await asyncio.sleep(0.5)
            assert not flooding.done()
            assert door.door.counts.bytes <= ahead.OF_ONE + streams.READ * 2
            _, other = await door.call()
            other.write(b"<13>other\n")
            door.disk.room.set()
            await eventually(lambda: b"<13>other" in door.disk.lines)
            await eventually(lambda: len(door.disk.lines) > 1000)
            flooding.cancel()
            flood.transport.abort()
            other.close()

    run(test)


def test_a_client_that_comes_byte_by_byte_is_given_up_and_what_came_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with opened(limits=Limits(slow_seconds=0.2)) as door:
            reader, writer = await door.call()
            began = time.monotonic()
            for _ in range(200):
                writer.write(b"x")
                await asyncio.sleep(0.02)
                if reader.at_eof() or writer.is_closing() or door.door.counts.slow:
                    break
            assert door.door.counts.slow == 1
            [line] = await door.until(1)
            assert set(line) == set(b"x")
            assert time.monotonic() - began < SECONDS
            writer.close()

    run(test)
    assert not caplog.records


def test_a_handshake_that_does_not_come_is_not_waited_for(authority: Authority) -> None:
    async def test() -> None:
        limits = Limits(slow_seconds=0.2)
        async with opened(lambda _: Forward(Secrets("key")), limits) as door:
            reader, writer = await door.call()
            assert (await asyncio.wait_for(reader.read(), SECONDS)).startswith(b"\x92\xa4HELO")
            assert door.door.counts.slow == 1
            writer.close()
        async with opened(limits=limits, tls=authority.server) as door:
            reader, writer = await door.call()
            assert await asyncio.wait_for(reader.read(), SECONDS) == b""
            assert door.door.counts.broken == 1
            writer.close()

    run(test)


def test_an_idle_client_is_sent_away_after_long() -> None:
    async def test() -> None:
        async with opened(limits=Limits(idle_seconds=2, slow_seconds=0.05)) as door:
            reader, writer = await door.call()
            await asyncio.sleep(0.2)
            writer.write(b"<13>late\n")
            await door.until(1)
            assert await asyncio.wait_for(reader.read(), SECONDS) == b""
            assert (door.door.counts.idle, door.door.counts.slow) == (1, 0)
            writer.close()

    run(test)


def test_no_more_are_let_in_than_allowed_and_others_take_their_place() -> None:
    async def test() -> None:
        async with opened(limits=Limits(connections=3)) as door:
            calls = [await door.call() for _ in range(5)]
            await eventually(lambda: door.door.counts.turned_away == 2)
            assert door.door.counts.open == 3
            for reader, _ in calls[3:]:
                assert await reader.read() == b""
            calls[0][1].close()
            await eventually(lambda: door.door.counts.open == 2)
            _, writer = await door.call()
            writer.write(b"<13>in again\n")
            assert await door.until(1) == [b"<13>in again"]
            for _, one in [*calls[1:], (None, writer)]:
                one.close()
        async with opened(limits=Limits(of_one=1)) as door:
            calls = [await door.call() for _ in range(2)]
            await eventually(lambda: door.door.counts.turned_away == 1)
            for _, one in calls:
                one.close()

    run(test)


def test_halves_of_messages_together_are_limited() -> None:
    async def test() -> None:
        async with opened(forward, Limits(held_bytes=100_000)) as door:
            half = b"\x92\xa1t\xc6\x00\xff\x00\x00" + bytes(60_000)
            calls = [await door.call() for _ in range(2)]
            for _, writer in calls:
                writer.write(half)
            await eventually(lambda: door.door.counts.turned_away == 1 and door.door.counts.open == 1)
            assert door.door.held == len(half)
            for _, writer in calls:
                writer.close()

    run(test)


def test_a_longer_message_is_cut_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with opened(lambda peer: Syslog(peer, 100)) as door:
            _, writer = await door.call()
            writer.write(b"<13>" + b"x" * 10_000 + b"\n<13>next\n")
            assert await door.until(2) == [b"<13>" + b"x" * 96, b"<13>next"]
            assert door.door.counts.cut == 1
            writer.close()

    run(test)
    assert "1 messages of 127.0.0.1 were longer than allowed, and lost their ends" in caplog.text


def test_who_speaks_another_protocol_is_sent_away_and_it_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with opened(forward) as door:
            reader, writer = await door.call()
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await asyncio.wait_for(reader.read(), SECONDS) == b""
            assert (door.door.counts.wrong, door.door.counts.refused) == (1, 1)
            writer.close()

    run(test)
    assert "what came is no message of the forward protocol" in caplog.text


def test_what_has_come_is_taken_when_the_door_closes() -> None:
    async def test() -> None:
        async with opened() as door:
            _, writer = await door.call()
            door.disk.room.clear()
            writer.write(b"<13>first\n")
            await eventually(lambda: door.door.counts.bytes > 0)
            writer.write(b"<13>second\n<13>half")
            await eventually(lambda: door.door.counts.bytes == len(b"<13>first\n<13>second\n<13>half"))
            closing = asyncio.create_task(door.door.close())
            await asyncio.sleep(0.05)
            assert not closing.done()
            door.disk.room.set()
            await closing
            assert door.disk.lines == [b"<13>first", b"<13>second", b"<13>half"]
            writer.close()

    run(test)


@dataclass
class Authority:
    """Certificates of a test's own."""

    server: ssl.SSLContext
    asking: ssl.SSLContext
    client: ssl.SSLContext
    known: ssl.SSLContext


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    made = trustme.CA()
    made.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = made.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(str(folder / "cert.pem"), append=number > 0)
    clients = [ssl.create_default_context(cafile=str(folder / "ca.pem")) for _ in range(2)]
    made.issue_cert("web-1.example", common_name="web-1.example").configure_cert(clients[1])
    files = folder / "cert.pem", folder / "key.pem"
    return Authority(tls_of(*files), tls_of(*files, folder / "ca.pem"), *clients)


def test_a_client_delivers_by_tls_and_proves_who_it_is_by_a_certificate(authority: Authority) -> None:
    async def test() -> None:
        for server, client, user in (
            (authority.server, authority.client, ""),
            (authority.asking, authority.known, "web-1.example"),
        ):
            async with opened(tls=server) as door:
                _, writer = await asyncio.open_connection("127.0.0.1", door.port, ssl=client)
                writer.write(b"<13>private\n" * 5000)
                await writer.drain()
                assert set(await door.until(5000)) == {b"<13>private"}
                assert door.disk.senders == {Sender("127.0.0.1", user)}
                writer.close()
                await writer.wait_closed()

    run(test)


def test_a_client_without_a_certificate_delivers_nothing_where_one_is_asked_for(authority: Authority) -> None:
    async def test() -> None:
        async with opened(tls=authority.asking) as door:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", door.port, ssl=authority.client)
                writer.write(b"<13>private\n")
                await reader.read()
                writer.transport.abort()
            except (ssl.SSLError, ConnectionError):
                pass
            await eventually(lambda: door.door.counts.broken == 1)
            assert door.disk.lines == []

    run(test)


def test_a_certificate_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DoorError, match="cannot use the certificate"):
        tls_of(tmp_path / "none.pem", tmp_path / "none.pem")


def test_users_of_the_forward_protocol_are_named() -> None:
    async def test() -> None:
        async with opened(lambda _: Forward(Secrets("key", {"ann": "pw"}))) as door:
            reader, writer = await door.call()
            _, options = msgpack.unpackb(await reader.read(200))
            writer.write(ping(options, "key", "ann", "pw"))
            assert msgpack.unpackb(await reader.read(300))[1] is True
            writer.write(msgpack.packb(["t", 1, {"log": "mine"}]))
            await door.until(1)
            assert door.disk.senders == {Sender("127.0.0.1", "ann")}
            writer.close()

    run(test)


def test_who_has_not_the_key_is_told_so() -> None:
    async def test() -> None:
        async with opened(lambda _: Forward(Secrets("key", {"ann": "pw"}))) as door:
            reader, writer = await door.call()
            _, options = msgpack.unpackb(await reader.read(200))
            writer.write(ping(options, "key", "ann", "guess"))
            told = msgpack.unpackb(await asyncio.wait_for(reader.read(), SECONDS))
            assert told == ["PONG", False, "username/password mismatch", "", ""]
            assert (door.door.counts.wrong, door.disk.lines) == (1, [])
            writer.close()

    run(test)


class Watched(Forward):
    """Notes which messages are decoded where others would wait."""

    here: ClassVar[list[int]] = []

    def feed(self, data: bytes, now: datetime) -> Step:
        """As ever."""
        if threading.current_thread() is threading.main_thread():
            self.here.append(self.held + len(data))
        return super().feed(data, now)


def test_a_large_message_is_decoded_where_nobody_waits_for_it() -> None:
    async def test() -> None:
        async with opened(lambda _: Watched()) as door:
            _, writer = await door.call()
            writer.write(msgpack.packb(["t", 1, {"log": "small"}]))
            await door.until(1)
            packed = b"".join(msgpack.packb([1, {"log": "x" * 50, "n": number}]) for number in range(9000))
            writer.write(msgpack.packb(["t", packed]))
            await door.until(9001)
            assert len(Watched.here) >= 1
            assert max(Watched.here) <= streams.MANY
            writer.close()

    run(test)


def ping(options: dict[str, Any], key: str, user: str, password: str) -> bytes:
    digest = sha512(b"salt" + b"client" + options["nonce"] + key.encode()).hexdigest()
    proof = sha512(options["auth"] + user.encode() + password.encode()).hexdigest()
    packed: bytes = msgpack.packb(["PING", "client", b"salt", digest, user, proof])
    return packed


def test_addresses_are_written_in_one_way() -> None:
    assert [named(one) for one in ("::ffff:192.0.2.7", "fe80::1%eth0", "192.0.2.7", "2001:DB8:0::1")] == [
        "192.0.2.7", "fe80::1", "192.0.2.7", "2001:db8::1",
    ]  # fmt: skip
