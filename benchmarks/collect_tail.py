"""Measures `logshed collect tail` over SSH: a long file as fast as it comes, and many files that grow, of many hosts.

The hosts are one SSH server on loopback that is asked so many times; it runs on the machine that collects, so that what
it takes is measured too, and is not free.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TextIO

import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.servers import Sshd  # noqa: E402 - the path comes first

LINE = '10.0.0.{0} - - [05/Jan/2026:10:00:00 +0000] "GET /item/{1} HTTP/1.1" 200 {1} "-" "Mozilla/5.0 (X11; Linux)"\n'


def main() -> None:
    """Print the figures as JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--lines", type=int, default=1_000_000, help="lines of the long file")
    words.add_argument("--hosts", type=int, default=5)
    words.add_argument("--files", type=int, default=10)
    words.add_argument("--rate", type=int, default=10_000, help="lines a second, of all files together")
    words.add_argument("--seconds", type=int, default=30)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Sshd(folder / "ssh")
        try:
            print(json.dumps({"one": one(server, folder / "one", given.lines)}, indent=2), flush=True)
            print(json.dumps({"many": many(server, folder / "many", given)}, indent=2))
        finally:
            server.cut()


def one(server: Sshd, folder: Path, lines: int) -> dict[str, object]:
    """A long file, as fast as it comes."""
    folder.mkdir()
    with (folder / "long.log").open("w") as file:
        file.writelines(LINE.format(number % 256, number) for number in range(lines))
    begun = time.monotonic()
    process = psutil.Popen(command(server, folder, 1), cwd=folder, env=environment(server), stdout=subprocess.PIPE)
    used = process.cpu_times()
    while process.status() != psutil.STATUS_ZOMBIE:
        used = process.cpu_times()
        time.sleep(0.1)
    report = json.loads(process.communicate()[0])
    seconds = time.monotonic() - begun
    return {
        "lines": report["lines"],
        "seconds": round(seconds, 1),
        "lines/s, starting included": round(lines / seconds),
        "lines/s while it collected": round(lines / report["seconds"]),
        "processor of the collector, s": round(used.user + used.system, 1),
    }


def many(server: Sshd, folder: Path, given: argparse.Namespace) -> dict[str, object]:
    """Files that grow, followed over several connections."""
    folder.mkdir()
    process = psutil.Popen(
        [*command(server, folder, given.hosts), "--follow"],
        cwd=folder,
        env=environment(server),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    files = [(folder / f"{number}.log").open("w") for number in range(given.files)]
    time.sleep(8)
    host, own = Load(server.folder), process.cpu_times()
    written = write(files, given.rate, given.seconds)
    time.sleep(2)
    busy = process.cpu_times()
    host_busy = host.since()
    time.sleep(10)
    idle = process.cpu_times()
    host_idle = host.since() - host_busy
    memory = process.memory_info().rss
    process.send_signal(signal.SIGINT)
    report = json.loads(process.communicate()[0])
    return {
        "written": written,
        "rested": report["lines"],
        "processor of the collector, %": round(100 * cpu(own, busy) / (given.seconds + 2), 1),
        "of the collector while nothing comes, %": round(100 * cpu(busy, idle) / 10, 1),
        "of all hosts, %": round(100 * host_busy / (given.seconds + 2), 1),
        "of all hosts while nothing comes, %": round(100 * host_idle / 10, 1),
        "memory of the collector, MiB": round(memory / 2**20),
    }


def write(files: list[TextIO], rate: int, seconds: int) -> int:
    """Let files grow, ten times a second."""
    begun, written = time.monotonic(), 0
    for turn in range(seconds * 10):
        for file in files:
            count = rate // 10 // len(files)
            file.writelines(LINE.format(number % 256, number) for number in range(written, written + count))
            file.flush()
            written += count
        time.sleep(max(0.0, begun + (turn + 1) / 10 - time.monotonic()))
    return written


class Load:
    """Processor time of an SSH server and of what it starts, of which the most ends at once.

    Args:
        folder: The server's folder, by which it is known.
    """

    def __init__(self, folder: Path) -> None:
        words = str(folder / "config")
        self._server = next(one for one in psutil.process_iter(["cmdline"]) if words in (one.info["cmdline"] or []))
        self._begun = self._now()

    def since(self) -> float:
        """Seconds since it was made."""
        return self._now() - self._begun

    def _now(self) -> float:
        """Of the connections' processes and all their children that have ended."""
        total = 0.0
        for one in self._server.children(recursive=True):
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total


def command(server: Sshd, folder: Path, hosts: int) -> list[str]:
    """The command line; the settings know the server under so many names."""
    tables = [f'[[collect]]\nname = "web{number}"\nhost = "{server.address}"\n' for number in range(hosts)]
    (folder / "logshed.toml").write_text("\n".join(tables))
    words = [word for number in range(hosts) for word in ("--host", f"web{number}")]
    return [sys.executable, "-m", "logshed", "collect", "tail", *words, "--path", f"{folder}/*.log", "--json"]


def environment(server: Sshd) -> dict[str, str]:
    """By which it gets in."""
    return {**os.environ, **server.environment, "PYTHONPATH": str(ROOT / "src")}


def cpu(before: Any, after: Any) -> float:
    """Processor time between two moments."""
    return after.user + after.system - before.user - before.system


if __name__ == "__main__":
    main()
