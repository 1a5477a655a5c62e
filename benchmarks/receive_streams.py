"""How many records a second the streams of syslog and of Fluentd's forward protocol are decoded at, by one core.

``decode`` hands bytes to the decoders alone; ``loopback`` sends them through a door by TCP, the client in a process of
its own, to a disk that takes everything. Neither redacts or writes: what they say is what is left for that.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import multiprocessing
import os
import resource
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgpack

from logshed.doors.senders import Limits
from logshed.doors.streams import READ, Streams
from logshed.receivers.forward import Forward
from logshed.receivers.syslog import Syslog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.doors.senders import Sender
    from logshed.receivers.model import Decoded
    from logshed.receivers.streaming import Talk

TEXT = (
    '192.0.2.{} - - [26/Nov/2026:12:00:{:02} +0000] "GET /products/{}?q={} HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (X11)"'
)
POD = {
    "pod_name": "web-7d9f", "namespace_name": "shop", "container_name": "nginx", "host": "node-3",
    "docker_id": "c0ffee", "labels": {"app": "web", "tier": "front"},
}  # fmt: skip
CHUNK = 1000
"""Records of a message of the forward protocol."""


def texts(count: int) -> Iterator[str]:
    """Lines of an access log."""
    return (TEXT.format(n % 250, n % 60, n % 1000, n) for n in range(count))


def syslog_lines(count: int) -> bytes:
    """RFC 3164, an end behind each."""
    return b"".join(f"<134>Nov 26 12:00:00 web-1 nginx[77]: {text}\n".encode() for text in texts(count))


def syslog_counts(count: int) -> bytes:
    """RFC 5424, a count before each."""
    messages = (f"<134>1 2026-11-26T12:00:00.000Z web-1 nginx 77 - - {text}".encode() for text in texts(count))
    return b"".join(b"%d %s" % (len(one), one) for one in messages)


def forwarded(count: int, kind: str = "packed") -> bytes:
    """Messages of the forward protocol: a container's lines, or events of some keys."""
    lines = list(texts(count))
    moment = msgpack.ExtType(0, (1_795_694_400).to_bytes(4, "big") + bytes(4))
    events = [
        [moment, {"log": text + "\n", "stream": "stdout", "kubernetes": POD}]
        if kind != "events"
        else [
            moment,
            {"message": "paid", "level": "info", "order": n, "amount": 9.5, "user": {"id": n}, "path": "/cart"},
        ]
        for n, text in enumerate(lines)
    ]
    messages = []
    for start in range(0, count, CHUNK):
        data = b"".join(map(msgpack.packb, events[start : start + CHUNK]))
        options = {"size": CHUNK, "chunk": f"c{start}"}
        if kind == "gzip":
            data, options = gzip.compress(data, 1), options | {"compressed": "gzip"}
        messages.append(msgpack.packb(["kube.shop", data, options]))
    return b"".join(messages)


CASES: dict[str, tuple[Callable[[int], bytes], Callable[[str], Talk]]] = {
    "syslog, lines": (syslog_lines, Syslog),
    "syslog, counts": (syslog_counts, Syslog),
    "forward, packed": (forwarded, lambda _: Forward()),
    "forward, gzip": (lambda count: forwarded(count, "gzip"), lambda _: Forward()),
    "forward, events": (lambda count: forwarded(count, "events"), lambda _: Forward()),
}


def decode(name: str, count: int) -> float:
    """Records a second of CPU."""
    make, talk = CASES[name]
    data = make(count)
    pieces = [data[at : at + READ] for at in range(0, len(data), READ)]
    one, now, records = talk("192.0.2.7"), datetime.now(UTC), 0
    began = time.process_time()
    for piece in pieces:
        records += sum(part.records for part in one.feed(piece, now).decoded.parts)
    took = time.process_time() - began
    if records != count:
        raise SystemExit(f"{name}: {records:,} of {count:,} records came")
    return count / took


def _send(port: int, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sending:
        sending.sendall(data)
        sending.shutdown(socket.SHUT_WR)
        while sending.recv(READ):
            pass


def loopback(name: str, count: int) -> tuple[float, float]:
    """Records a second by the clock, and by the CPU of the door's process."""
    make, talk = CASES[name]
    data = make(count)

    async def measured() -> tuple[float, float]:
        records, done = 0, asyncio.Event()

        async def take(decoded: Decoded, _: Sender) -> None:
            nonlocal records
            records += sum(part.records for part in decoded.parts)
            if records >= count:
                done.set()

        door = Streams(talk, take, Limits())
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(door.serve(listening))
            client = multiprocessing.get_context("fork").Process(target=_send, args=(listening.getsockname()[1], data))
            began, busy = time.perf_counter(), time.process_time()
            client.start()
            await done.wait()
            took, worked = time.perf_counter() - began, time.process_time() - busy
            serving.cancel()
            await door.close()
            client.join()
        return count / took, count / worked

    return asyncio.run(measured())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--loopback", action="store_true", help="also through a door, by TCP")
    asked = parser.parse_args()
    print(f"{asked.records:,} records, {os.cpu_count()} processors")
    for name in CASES:
        line = f"{name:16} decode {decode(name, asked.records):>12,.0f}/s of CPU"
        if asked.loopback:
            by_clock, by_work = loopback(name, asked.records)
            line += f"   loopback {by_clock:>10,.0f}/s, {by_work:>10,.0f}/s of CPU"
        print(line, flush=True)
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB, the sent bytes among it")


if __name__ == "__main__":
    main()
