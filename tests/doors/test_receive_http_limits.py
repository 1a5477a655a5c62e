"""What the door for logs over HTTP bears: each limit, slow and hostile clients, one tenant's flood beside another."""

from __future__ import annotations

import gzip
import random
import socket
import subprocess
import sys
import threading
import time
import zlib
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import orjson
import psutil
import pytest
from tests.doors.pushing import Client, Store, heard, served, told, until

from logshed.access import Tokens
from logshed.doors.http_limits import HttpLimits
from logshed.receivers.common.inflate import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

MIB = 2**20
ZEROS = bytes(MIB)
HEAD = b"POST /v1/raw HTTP/1.1\r\nHost: localhost\r\n"


def bomb(kind: str, mib: int) -> bytes:
    """Many zeros, packed as they are made."""
    packer = {
        "gzip": lambda: zlib.compressobj(9, wbits=31),
        "deflate": lambda: zlib.compressobj(9),
        "zstd": zstd.ZstdCompressor,
    }[kind]()
    return b"".join([*(packer.compress(ZEROS) for _ in range(mib)), packer.compress(b"0"), packer.flush()])


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    """A body in chunks of HTTP."""
    for at in range(0, len(body), size):
        some = body[at : at + size]
        yield b"%x\r\n%b\r\n" % (len(some), some)
    yield b"0\r\n\r\n"


@pytest.mark.parametrize("kind", ["gzip", "x-gzip", "deflate", "zstd", "identity", "GZIP, identity", "deflate, gzip"])
def test_a_body_is_unpacked_as_its_headers_say(kind: str) -> None:
    store, body = Store(), b"line\n" * 40_000
    packers = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}
    packed = body
    for name in kind.lower().split(", "):
        packed = packers.get(name, bytes)(packed)
    with served(store) as opened:
        assert opened.push(packed, Content_Encoding=kind)[::2] == (200, b'{"accepted":40000}')
    assert store.came[0].decoded.parts[0].lines == body


def test_deflate_is_taken_with_and_without_its_frame() -> None:
    store = Store()
    raw = zlib.compressobj(wbits=-15)
    with served(store) as opened:
        assert opened.push(raw.compress(b"bare\n") + raw.flush(), Content_Encoding="deflate")[0] == 200
    assert store.lines == [b"bare"]


@pytest.mark.parametrize("kind", ["br", "gzip, lz4", "gzip, gzip, gzip"])
def test_an_unknown_encoding_is_told(kind: str) -> None:
    with served(Store()) as opened:
        assert opened.push(b"x", Content_Encoding=kind)[0] == 415


@pytest.mark.parametrize(
    "body",
    [b"x", gzip.compress(b"x" * 100)[:-9], gzip.compress(b"x") + b"junk"],
    ids=["none", "cut", "more behind it"],
)
def test_a_damaged_pack_is_told_and_kept(body: bytes) -> None:
    store = Store()
    with served(store) as opened:
        assert opened.push(body, Content_Encoding="gzip")[0] == 400
    assert [dead[4] for dead in store.dead] == [body]


@pytest.mark.parametrize("kind", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_refused(kind: str) -> None:
    packed = bomb(kind, 64)
    assert len(packed) < 100_000
    with served(Store()) as opened:
        status, _, said = opened.push(packed, Content_Encoding=kind)
        assert (status, b"more than" in said) == (413, True)
        assert opened.push(gzip.compress(packed), Content_Encoding=f"{kind}, gzip")[0] == 413


def test_a_body_that_is_much_larger_unpacked_than_any_log_is_refused_before_it_is_all_there() -> None:
    with served(Store(), HttpLimits(ratio=10)) as opened:
        assert opened.push(gzip.compress(b"line\n" * 100_000), Content_Encoding="gzip")[0] == 200
        assert opened.push(gzip.compress(b"line\n" * 1_000_000), Content_Encoding="gzip")[0] == 413


def test_thousands_of_empty_packs_are_refused_soon() -> None:
    begun = time.process_time()
    with served(Store()) as opened:
        assert opened.push(gzip.compress(b"") * 200_000, Content_Encoding="gzip")[0] == 413
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("told", [True, False])
def test_a_body_that_is_too_long_is_refused_and_its_sender_reads_why(told: bool) -> None:
    store = Store()
    with served(store, HttpLimits(request_bytes=100_000)) as opened:
        assert opened.push(b"x\n" * 50_000)[0] == 200
        body = b"x\n" * 50_001
        length = b"Content-Length: %d\r\n\r\n" % len(body) if told else b"Transfer-Encoding: chunked\r\n\r\n"
        said = opened.say(HEAD + b"Connection: close\r\n" + length, body if told else b"".join(pieces(body, 999)))
        assert said.startswith(b"HTTP/1.1 413 ")
        assert b"\r\nconnection: close\r\n" in said.lower()
        assert b"the body has more than 100,000 bytes; send less at a time" in said
    assert len(store.came) == 1


def test_a_body_in_pieces_is_taken() -> None:
    store, body = Store(), b"line\n" * 100_000
    with served(store) as opened:
        sent = b"".join(pieces(body, 7_001))
        said = opened.say(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", sent)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert store.came[0].decoded.parts[0].lines == body


def test_a_body_in_pieces_of_a_byte_ends_soon_and_one_of_short_lines_does_not() -> None:
    store, body = Store(), b"a line\n" * 40_000
    head = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served(store) as opened:
        assert opened.say(head, b"".join(pieces(body, 7))).startswith(b"HTTP/1.1 200 ")
        with opened.raw() as client, pytest.raises(OSError, match=r"reset|pipe"):
            client.sendall(head + b"1\r\na\r\n" * 2_000_000)
        assert opened.door.counts.wrong == 1
    assert store.came[0].decoded.parts[0].lines == body


def test_who_waits_to_be_told_to_go_on_is_told_or_refused_before_the_body() -> None:
    with served(Store(), HttpLimits(request_bytes=100)) as opened:
        asks = HEAD + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        with opened.raw() as client:
            client.sendall(asks % 3)
            assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
            client.sendall(b"abc")
            assert heard(client).startswith(b"HTTP/1.1 200 ")
        begun = time.monotonic()
        with opened.raw() as client:
            client.sendall(asks % 101)
            assert client.recv(4096).startswith(b"HTTP/1.1 413 ")
        assert time.monotonic() - begun < 6


@pytest.mark.parametrize(
    "headers", [b"X: %b\r\n" % (b"a" * 4_000), b"".join(b"X-%d: a\r\n" % number for number in range(40))]
)
def test_too_many_or_too_long_headers_are_refused(headers: bytes) -> None:
    with served(Store(), HttpLimits(header_bytes=2_000, headers=30)) as opened:
        said = opened.say(HEAD + headers + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        assert said.split(b" ", 2)[1] in (b"431", b"400")
        endless = opened.say(b"GET /", b"a" * 100_000)
        assert endless == b"" or endless.startswith(b"HTTP/1.1 400 ")
        assert opened.push(b"x")[0] == 200


def test_a_query_of_many_fields_is_refused() -> None:
    with served(Store()) as opened:
        assert opened.push(b"x", "/v1/raw?" + "a=1&" * 70)[0] == 400


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /v1/raw HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
    ],
)
def test_what_is_no_http_ends_the_connection_and_nothing_else(said: bytes, caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    with served(store, HttpLimits(header_seconds=0.5)) as opened:
        answer = opened.say(said)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 421 ", b"HTTP/1.1 501 "))
        assert opened.push(b"x")[0] == 200
    assert store.lines == [b"x"]
    assert caplog.text == ""


def test_whatever_is_said_the_door_goes_on_and_tells_nobodys_words(caplog: pytest.LogCaptureFixture) -> None:
    store, chance = Store(), random.Random(5)  # noqa: S311 - a test's
    bulk = b'{"create":{"_index":"a"}}\n{"secret":1}\n'
    some = [
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 40\r\n\r\n" + gzip.compress(b"secret" * 9).ljust(40),
        HEAD.replace(b"/v1/raw", b"/_bulk") + b"Content-Length: %d\r\n\r\n%b" % (len(bulk), bulk),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(pieces(b"secret" * 9, 5)),
    ]
    with served(store, HttpLimits(body_seconds=0.2, header_seconds=0.2)) as opened:
        for number in range(200):
            said = bytearray(some[number % 3] * chance.randrange(1, 3))
            for _ in range(chance.randrange(1, 6)):
                at = chance.randrange(len(said))
                said[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
            with opened.raw() as client:
                client.sendall(said[: chance.randrange(1, 2 * len(said))])
                if number % 2:
                    with suppress(OSError):  # the door may have ended it already
                        client.shutdown(socket.SHUT_WR)
        assert opened.push(b"x")[0] == 200
        until(lambda: opened.door.counts.open == 0)
        assert opened.door.app.room.free == HttpLimits().held_bytes
    assert not [status for _, status in store.seen if status in (500, 503)]
    assert "secret" not in caplog.text
    assert not [record for record in caplog.records if record.name != "asyncio" or record.levelname != "DEBUG"]


def test_half_a_request_is_none() -> None:
    store = Store()
    with served(store) as opened:
        for half in (
            b"POST /v1",
            HEAD,
            HEAD + b"Content-Length: 9\r\n\r\nabc",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc",
        ):
            with opened.raw() as client:
                client.sendall(half)
                client.shutdown(socket.SHUT_WR)
        until(lambda: opened.door.counts.open == 0)
        assert opened.push(b"x")[0] == 200
    assert store.lines == [b"x"]
    assert [status for _, status in store.seen] == [200]


def test_requests_one_behind_the_other_are_answered_in_their_order() -> None:
    store = Store()
    one = HEAD + b"Content-Length: 2\r\n\r\n%b\n"
    with served(store) as opened:
        last = HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
        said = opened.say(b"".join(one % letter for letter in (b"a", b"b", b"c")) + last)
    assert store.lines == [b"a", b"b", b"c"]
    assert [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"200", b"400"]


def test_headers_that_come_drop_by_drop_end() -> None:
    with served(Store(), HttpLimits(header_seconds=0.4)) as opened, opened.raw() as client:
        begun = time.monotonic()
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012 - one of the drops is too late
            for letter in HEAD * 10:
                client.sendall(bytes([letter]))
                time.sleep(0.05)
        assert time.monotonic() - begun < 6
        until(lambda: opened.door.counts.slow == 1)


def test_a_body_that_comes_drop_by_drop_ends_and_a_steady_one_does_not() -> None:
    store = Store()
    with served(store, HttpLimits(body_seconds=1, slowest_bytes=2_000)) as opened:
        with opened.raw() as client:
            client.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
            begun, said = time.monotonic(), b""
            client.settimeout(0.05)
            while not said and time.monotonic() - begun < 9:
                client.sendall(b"a")
                try:
                    said = client.recv(4096)
                except TimeoutError:
                    continue
            assert said.startswith(b"HTTP/1.1 408 ")
            assert time.monotonic() - begun < 6
        with opened.raw() as client:
            client.sendall(HEAD + b"Content-Length: 20000\r\n\r\n")
            for _ in range(20):
                client.sendall(b"a" * 1_000)
                time.sleep(0.08)
            assert client.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_connection_without_requests_ends() -> None:
    with served(Store(), HttpLimits(idle_seconds=0.2)) as opened:
        client = HTTPConnection("127.0.0.1", opened.port, timeout=5)
        client.request("POST", "/v1/raw", b"x")
        assert told(client.getresponse())[0] == 200
        begun = time.monotonic()
        assert heard(client.sock) == b""
        assert time.monotonic() - begun < 6
        client.close()
    assert opened.door.counts.idle == 1


def test_who_does_not_take_an_answer_is_cut_off() -> None:
    body = b'{"create":{"_index":"a"}}\n{"a":1}\n' * 90_000
    head = b"POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    with served(Store(), HttpLimits(answer_seconds=0.3)) as opened, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(("127.0.0.1", opened.port))
        client.sendall(head + body)
        until(lambda: opened.door.counts.slow == 1, 20)
        assert len(heard(client)) < 9_000_000
        until(lambda: opened.door.counts.open == 0)


def test_connections_beyond_those_that_the_door_bears_are_closed() -> None:
    with served(Store(), HttpLimits(connections=3, of_one=2)) as opened:
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(opened.raw())
            until(lambda: opened.door.counts.open == 2)
            assert opened.say() == b""
            with socket.create_connection(("127.0.0.1", opened.port), 5, ("127.0.0.2", 0)) as other:
                other.sendall(HEAD + b"Content-Length: 1\r\n\r\nx")
                assert other.recv(4096).startswith(b"HTTP/1.1 200 ")
                with socket.create_connection(("127.0.0.1", opened.port), 5, ("127.0.0.3", 0)) as third:
                    assert heard(third) == b""
        until(lambda: opened.door.counts.open == 0)
        assert opened.push(b"x")[0] == 200
    assert opened.door.counts.turned_away == 2


def test_bodies_beyond_the_room_wait_and_are_then_told_to_come_again() -> None:
    store = Store()
    store.slow.clear()
    limits = HttpLimits(held_bytes=300_000, held_of_one=300_000, wait_seconds=0.3)
    body = b"a" * 99 + b"\n"
    with served(store, limits) as opened:
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(opened.push(body * 1_000)[0]), daemon=True) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        until(lambda: store.waiting == 3)
        status, headers, _ = opened.push(body * 3_000)
        assert (status, headers["retry-after"]) == (429, "2")
        store.slow.set()
        for thread in threads:
            thread.join(60)
        assert found == [200] * 3
        assert opened.push(body * 2_000)[0] == 200
        assert opened.door.app.room.free == 300_000


def test_one_tenants_flood_does_not_starve_another(tmp_path: Path) -> None:
    store, tokens = Store(), Tokens(tmp_path / "tokens.db")
    (flood, _), (other, known) = (tokens.create(["*"], ["write"]) for _ in range(2))
    flooding, calming = f"Bearer {flood}", f"Bearer {other}"
    limits = HttpLimits(held_bytes=1_000_000, held_of_one=500_000, wait_seconds=30)
    store.slow.clear()
    with served(store, limits, tokens=tokens) as opened:
        body = b"line\n" * 20_000
        threads = [
            threading.Thread(target=lambda: opened.push(body, Authorization=flooding), daemon=True) for _ in range(30)
        ]
        for thread in threads:
            thread.start()
        until(lambda: store.waiting >= 4)
        time.sleep(0.1)
        assert store.waiting < 10
        calm = threading.Thread(target=lambda: opened.push(body, Authorization=calming), daemon=True)
        calm.start()
        until(lambda: any(came.grant.token == known.id for came in store.asked))
        assert store.waiting < 10
        store.slow.set()
        for thread in (*threads, calm):
            thread.join(60)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_bulk", b'{"create":{"_index":"a"}}\n' + b'{"a":' * 100_000 + b"\n"),
        ("/v1/ndjson", b"[" * 500_000),
        ("/services/collector", b'{"event":' + b"[" * 300_000),
        ("/loki/api/v1/push", b'{"streams":' + b"[" * 300_000),
        ("/v1/webhook", b'{"a":' * 300_000),
        ("/v1/logs", b'{"resourceLogs":' + b"[" * 300_000),
    ],
)
def test_json_of_any_depth_is_refused_and_others_go_on(path: str, body: bytes) -> None:
    store = Store()
    with served(store) as opened:
        status, _, said = opened.push(body, path, Content_Type="application/json")
        assert status == 400 or orjson.loads(said)["errors"] is True
        assert opened.push(b"x")[0] == 200


CHILD = """
import asyncio, sys
from logshed.doors.http_door import HttpDoor
from logshed.doors.http_limits import HttpLimits
from logshed.doors.receive_http import ReceiveApp

async def take(came):
    await asyncio.sleep(0)

async def main():
    limits = HttpLimits(connections=20_000, of_one=20_000, header_seconds=600)
    door = HttpDoor(ReceiveApp(take, limits=limits), listen=("127.0.0.1:0",))
    await door.start()
    print(door.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await door.stop(5)

asyncio.run(main())
"""


class Child(Client):
    """A door in a process of its own, whose memory can be told."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        super().__init__(int(self.process.stdout.readline()))

    def mib(self) -> float:
        """Memory that it has."""
        return psutil.Process(self.process.pid).memory_info().rss / MIB

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0


def test_bombs_take_no_memory_and_idle_connections_little() -> None:
    packed = bomb("gzip", 128)
    with Child() as child, ExitStack() as stack:
        assert child.push(b"x")[0] == 200
        before = child.mib()
        for client in [
            stack.enter_context(socket.create_connection(("127.0.0.1", child.port), 10)) for _ in range(300)
        ]:
            client.sendall(b"POST /v1/raw HTTP/1.1\r\n")
        assert child.push(b"x")[0] == 200
        assert child.mib() - before < 20
        for _ in range(5):
            assert child.push(packed, Content_Encoding="gzip")[0] == 413
        assert child.mib() - before < 150


@pytest.mark.soak
def test_ten_thousand_idle_connections_leave_room_for_others() -> None:
    with Child() as child, ExitStack() as stack:
        assert child.push(b"x")[0] == 200
        before = child.mib()
        for number in range(10_000):
            source = (f"127.0.0.{2 + number % 8}", 0)
            client = stack.enter_context(socket.create_connection(("127.0.0.1", child.port), 10, source))
            client.sendall(b"POST /v1/raw HTTP/1.1\r\n")
        begun = time.monotonic()
        assert child.push(b"x")[0] == 200
        assert time.monotonic() - begun < 6
        assert child.mib() - before < 400


@pytest.mark.soak
def test_a_bomb_of_ten_gigabytes_is_refused() -> None:
    packed = bomb("gzip", 10_240)
    with Child() as child:
        before = child.mib()
        assert child.push(packed, Content_Encoding="gzip")[0] == 413
        assert child.mib() - before < 200


@pytest.mark.soak
def test_a_flood_of_large_bodies_keeps_within_the_room() -> None:
    body = gzip.compress(b"".join(b'{"a":"%d"}\n' % number for number in range(90_000)) * 4)
    with Child() as child:
        before = child.mib()
        threads = [
            threading.Thread(target=lambda: [child.push(body, "/v1/raw", Content_Encoding="gzip") for _ in range(8)])
            for _ in range(40)
        ]
        for thread in threads:
            thread.start()
        most = 0.0
        while any(thread.is_alive() for thread in threads):
            most = max(most, child.mib())
            time.sleep(0.05)
        assert most - before < 800
