"""How many lines a second come from many pods at once, and what the collector takes of the machine.

The API server is the tests' stand-in, in this process; the collector is the program, in a process of its own. Lines are
in the files before it begins (how fast it can), or written while it follows (what a rate costs).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.sources.kubernetes_server import Container, Pod, StandIn  # noqa: E402 - as above

from logshed.sources.spool import SPOOL, targets  # noqa: E402 - after the path

if TYPE_CHECKING:
    from io import TextIOWrapper

TEXT = "INFO request {} served to user{}@example.com in {} ms, path /api/v1/orders/{}?page=2 status 200 bytes 5120"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=100)
    parser.add_argument("--lines", type=int, default=500_000, help="lines in the files before it begins")
    parser.add_argument("--rate", type=int, default=0, help="lines a second while it follows, instead")
    parser.add_argument("--seconds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = StandIn(Path(folder))
        try:
            logs = [_pod(server, number) for number in range(given.pods)]
            count = given.rate * given.seconds if given.rate else given.lines
            if not given.rate:
                _write(logs, 0, count)
            _measure(server, Path(folder), logs, given.rate, count)
        finally:
            server.close()


def _pod(server: StandIn, number: int) -> TextIOWrapper:
    server.add(pod := Pod("shop", f"shop-7d9c5b6f4-{number:05d}", [Container("web")], {"app": "shop", "tier": "web"}))
    return server.start(pod, "web").log.open("a", encoding="utf-8")


def _write(logs: list[TextIOWrapper], first: int, count: int) -> None:
    """Spread lines over the files; their times go up by a microsecond."""
    now = datetime.now(UTC)
    for number in range(first, first + count):
        stamp = (now + timedelta(microseconds=number - first)).strftime("%Y-%m-%dT%H:%M:%S.%f")
        logs[number % len(logs)].write(
            f"{stamp}{number % 1000:03d}Z stdout F {TEXT.format(number, number % 977, number % 311, number)}\n"
        )
    for log in logs:
        log.flush()


def _measure(server: StandIn, folder: Path, logs: list[TextIOWrapper], rate: int, count: int) -> None:
    words = ["-m", "logshed", "collect", "kubernetes", "--kubeconfig", str(server.kubeconfig)]
    begun = time.monotonic()
    with (folder / "told.txt").open("w") as told:
        running = subprocess.Popen([sys.executable, *words, *(["--follow"] if rate else [])], cwd=folder, stderr=told)
    process, most, cpu = psutil.Process(running.pid), 0, 0.0
    while not any(key == ("get", "pods/log") for key in server.asked):
        time.sleep(0.05)
    ready, written = time.monotonic(), 0
    ready_cpu = sum(process.cpu_times()[:2])
    while running.poll() is None:
        most, cpu = max(most, process.memory_info().rss), sum(process.cpu_times()[:2])
        if rate:
            due = min(count, int((time.monotonic() - ready) * rate))
            _write(logs, written, due - written)
            written = due
            if written == count:
                time.sleep(3)
                cpu = sum(process.cpu_times()[:2])
                running.terminate()
                running.wait()
        time.sleep(0.1)
    seconds = time.monotonic() - ready
    told_of = sum(target.size for target in targets(f"{SPOOL}{folder / 'logshed-spool'}"))
    print((folder / "told.txt").read_text().splitlines()[0 if not rate else -2])
    print(f"{len(logs)} pods, {count:,} lines, {told_of / 2**20:.0f} MiB in the spool, start {ready - begun:.1f} s")
    print(f"{count / seconds:,.0f} lines/s in {seconds:.1f} s; CPU {cpu - ready_cpu:.1f} s, {most / 2**20:.0f} MiB")
    print(f"{(cpu - ready_cpu) / count * 1e6:.1f} µs of CPU a line; load {psutil.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
