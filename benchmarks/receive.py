"""Receives for some seconds by each door of a real ``logshed receive``: records a second, acknowledged once on disk.

    python benchmarks/receive.py [--seconds 10] [--only otlp] [--connections 4] [--every 5s]

The clients are one process that sends requests made beforehand, of 1,000 records each, and waits for each answer; the
receiver is another, which redacts, writes with fsync, and ingests what it wrote into a lake meanwhile. After the full
load half of it is sent, evenly, to measure how long an answer takes. Syslog has no answers: what counts is when
``/metrics`` says that the records are on disk. Both share this machine's processors.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import urlopen

import receive_bodies as bodies
from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

READ = 2**16
PATIENCE_S = 180.0


class Case(NamedTuple):
    """What is sent.

    Attributes:
        path: The address; empty for what is no HTTP.
        kind: Content type.
        body: 1,000 records.
        wanted: Records a second that it is to take, on two processors with its client.
    """

    path: str
    kind: str
    body: bytes
    wanted: int


def cases() -> dict[str, Case]:
    """By name."""
    return {
        "otlp": Case("/v1/logs", "application/x-protobuf", bodies.otlp().SerializeToString(), 60_000),
        "bulk": Case("/_bulk", "application/x-ndjson", bodies.bulk(), 40_000),
        "loki": Case("/loki/api/v1/push", "application/x-protobuf", bodies.loki(), 60_000),
        "syslog": Case("", "", bodies.syslog(), 100_000),
        "raw": Case("/v1/raw/web", "text/plain", bodies.raw(), 150_000),
    }


class Receiver(NamedTuple):
    """A running receiver.

    Attributes:
        pid: Of its process.
        http: Port.
        syslog: Port.
        folder: Where its lake is.
    """

    pid: int
    http: int
    syslog: int
    folder: Path

    def accepted(self) -> int:
        """Records on disk, as it counts them."""
        with urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=60) as answer:
            found = re.findall(rb"^logshed_receive_records_total\{.*\} ([0-9.e+]+)$", answer.read(), re.MULTILINE)
        return int(sum(map(float, found)))

    def memory(self) -> float:
        """The most that it has taken so far, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024

    def cpu(self) -> float:
        """Seconds of processor that it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def visible(self, records: int) -> float:
        """Seconds until SQL sees so many records."""
        lake, begun = Lake.open(self.folder / "logshed-lake", check=False), time.monotonic()
        while time.monotonic() - begun < PATIENCE_S:
            if (self.folder / "logshed-lake").exists():
                ((found,),) = lake.query("SELECT count(*) FROM logs").pl().rows()
                if found >= records:
                    return time.monotonic() - begun
            time.sleep(0.1)
        raise SystemExit(f"of {records:,} records {found:,} came into the lake")


@contextmanager
def receiver(every: str) -> Iterator[Receiver]:
    """A receiver with its lake in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "logshed", "receive", "--json", "--every", every]
        words += ["--listen", "http://127.0.0.1:0", "--listen", "syslog_tcp://127.0.0.1:0"]
        with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
            if running.stdout is None:
                raise AssertionError
            told: dict[str, Any] = json.loads(running.stdout.readline())["addresses"]
            ports = [int(told[door][0].rpartition(":")[2]) for door in ("http", "syslog_tcp")]
            yield Receiver(running.pid, ports[0], ports[1], Path(folder))
            running.terminate()


def _post(port: int, case: Case, until: float, pause: float, told: Any) -> None:
    """Send requests over one connection, and tell how long each answer took."""
    head = [f"POST {case.path} HTTP/1.1", "Host: localhost", f"Content-Type: {case.kind}"]
    request = "\r\n".join([*head, f"Content-Length: {len(case.body)}", "", ""]).encode() + case.body
    took = []
    with socket.create_connection(("127.0.0.1", port)) as talking:
        talking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due = time.monotonic()
        while (begun := time.monotonic()) < until:
            talking.sendall(request)
            status = _answer(talking)
            if status in (200, 204):
                took.append(time.monotonic() - begun)
            else:
                time.sleep(0.2)
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))
    told.put(took)


def _answer(talking: socket.socket) -> int:
    data = b""
    while b"\r\n\r\n" not in data:
        data += talking.recv(READ)
    head, _, rest = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    left = int(length[1]) - len(rest) if length else 0
    while left > 0:
        left -= len(talking.recv(READ))
    return int(head.split()[1])


def _clients(port: int, case: Case, seconds: float, pause: float, connections: int, told: Any) -> None:
    """A process with some connections."""
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=_post, args=(port, case, until, pause, told)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def load(port: int, case: Case, seconds: float, connections: int, rate: float = 0.0) -> list[float]:
    """How long each answer took, in order of time.

    Args:
        port: The receiver's.
        case: What is sent.
        seconds: How long.
        connections: How many.
        rate: Records a second; 0 is as many as go.
    """
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    pause = connections * bodies.RECORDS / rate if rate else 0.0
    sending = context.Process(target=_clients, args=(port, case, seconds, pause, connections, told))
    sending.start()
    took = sorted(one for _ in range(connections) for one in told.get())
    sending.join()
    return took


def stream(running: Receiver, case: Case, seconds: float) -> tuple[int, float]:
    """Send syslog for some time; the records, and the seconds until all were on disk."""
    sent, begun, before = 0, time.monotonic(), running.accepted()
    with socket.create_connection(("127.0.0.1", running.syslog)) as talking:
        while time.monotonic() - begun < seconds:
            talking.sendall(case.body)
            sent += bodies.RECORDS
    while running.accepted() - before < sent:
        time.sleep(0.02)
    return sent, time.monotonic() - begun


def measure(name: str, case: Case, given: argparse.Namespace) -> None:
    """Print what one door does."""
    with receiver(given.every) as running:
        warm = running.cpu()
        if case.path:
            load(running.http, case, 1.0, 1)  # what is imported at first use
            began, spent = time.monotonic(), running.cpu()
            full = load(running.http, case, given.seconds, given.connections)
            records, took = len(full) * bodies.RECORDS, time.monotonic() - began
            spent = running.cpu() - spent
            half = load(running.http, case, given.seconds, given.connections, records / took / 2)
            middle, late = half[len(half) // 2], half[int(len(half) * 0.99)]
            quick = f"p50 {middle * 1e3:5.0f}  p99 {late * 1e3:5.0f} ms at half load"
        else:
            spent = warm
            records, took = stream(running, case, given.seconds)
            spent = running.cpu() - spent
            quick = ""
        total = running.accepted()
        memory, seen = running.memory(), running.visible(total)
        print(
            f"{name:7} {records / took:>9,.0f} records/s (wanted {case.wanted:>7,})  {spent / took:4.2f} processors  "
            f"{memory:4.0f} MB  in SQL after {seen:4.1f} s  {quick}",
            flush=True,
        )


def main() -> None:
    """Measure each door and print a line of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each load lasts")
    parser.add_argument("--connections", type=int, default=4, help="of the clients")
    parser.add_argument("--every", default="5s", help="how often the receiver brings records into the lake")
    parser.add_argument("--only", choices=list(cases()), action="append", help="which doors; all unless given")
    given = parser.parse_args()
    print(f"{os.cpu_count()} processors, {given.connections} connections")
    for name, case in cases().items():
        if not given.only or name in given.only:
            measure(name, case, given)


if __name__ == "__main__":
    main()
