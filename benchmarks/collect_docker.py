"""Measures `logshed collect docker` over SSH: lines a second of one host, and twenty hosts of ten containers each.

The hosts are one SSH server on loopback that is asked twenty times, in front of a Docker engine of its own; both run on
the machine that collects, so that what they take is measured too, and is not free. Needs root.
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

import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.servers import Engine, Sshd  # noqa: E402 - the path comes first

PACED = """awk -v n={lines} 'BEGIN {{ for (i = 1; i <= n; i++) {{
    print "INFO out " i; print "INFO err " i > "/dev/stderr"
    if (i % {step} == 0) {{ fflush(); system("sleep 0.5") }} }} }}'"""


def main() -> None:
    """Print the figures as JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--lines", type=int, default=500_000, help="lines on each output of the one container")
    words.add_argument("--hosts", type=int, default=20)
    words.add_argument("--containers", type=int, default=10)
    words.add_argument("--rate", type=int, default=50, help="lines a second on each output of each of the many")
    words.add_argument("--settle", type=int, default=60, help="seconds before measuring, in which all are begun")
    words.add_argument("--seconds", type=int, default=60)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "docker").mkdir()
        engine = Engine(folder / "docker")
        server = Sshd(folder / "ssh", environment={"DOCKER_HOST": engine.socket})
        try:
            print(json.dumps({"one": one(engine, server, folder, given.lines)}, indent=2), flush=True)
            engine.clear()
            print(json.dumps({"many": many(engine, server, folder, given)}, indent=2))
        finally:
            server.cut()
            engine.stop()


def one(engine: Engine, server: Sshd, folder: Path, lines: int) -> dict[str, object]:
    """What one container wrote, as fast as it comes."""
    engine.run("one", PACED.format(lines=lines, step=lines + 1))
    while engine("ps", "-q"):
        time.sleep(0.5)
    begun = time.monotonic()
    process = start(server, folder / "one", ["--host", server.address], 1)
    used = 0.0
    peak = 0
    while process.poll() is None:
        used, peak = _taken(process.pid, used, peak)
        time.sleep(0.2)
    report = json.loads((folder / "one" / "report").read_text())
    return {
        "lines": report["lines"],
        "seconds": round(report["seconds"], 1),
        "seconds_with_start": round(time.monotonic() - begun, 1),
        "lines_per_second": round(report["lines"] / report["seconds"]),
        "collector_cpu_seconds": round(used, 1),
        "collector_peak_mb": peak // 10**6,
    }


def many(engine: Engine, server: Sshd, folder: Path, given: argparse.Namespace) -> dict[str, object]:
    """Many hosts that are followed."""
    for number in range(given.containers):
        engine.run(f"c{number}", PACED.format(lines=10**7, step=given.rate // 2))
    process = start(server, folder / "many", ["--follow", "--hours", "0"], given.hosts)
    try:
        time.sleep(given.settle)  # until every container is followed
        before, lines, used = _cpu(process.pid), _lines(folder / "many"), {name: _there(name) for name in THERE}
        time.sleep(given.seconds)
        cpu, came = _cpu(process.pid) - before, _lines(folder / "many") - lines
        memory = psutil.Process(process.pid).memory_info().rss
        after = {name: _there(name) for name in THERE}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    time.sleep(1)
    return {
        "hosts": given.hosts,
        "containers": given.hosts * given.containers,
        "written_lines_per_second": given.hosts * given.containers * given.rate * 2,
        "collected_lines_per_second": round(came / given.seconds),
        "collector_cpu_percent": round(100 * cpu / given.seconds),
        "collector_memory_mb": memory // 10**6,
        "load_of_the_machine": os.getloadavg()[0],
        "on_the_host": {
            name: {
                "processes": number,
                "cpu_percent": round(100 * (taken - used[name][1]) / given.seconds, 1),
                "memory_mb": memory // 10**6,
            }
            for name, (number, taken, memory) in after.items()
        },
        "left_on_the_host": _there("docker")[0],
    }


THERE = ("docker", "sshd")


def start(server: Sshd, folder: Path, words: list[str], hosts: int) -> subprocess.Popen[bytes]:
    """Begin to collect."""
    folder.mkdir()
    if hosts > 1:
        tables = [f'[[collect]]\nname = "web{number}"\nhost = "{server.address}"' for number in range(hosts)]
        (folder / "logshed.toml").write_text("\n".join(tables))
    with (folder / "report").open("wb") as report, (folder / "said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "logshed", "collect", "docker", "--json", *words],
            cwd=folder, env={**os.environ, **server.environment, "PYTHONPATH": str(ROOT / "src")},
            stdout=report, stderr=said,
        )  # fmt: skip


def _lines(folder: Path) -> int:
    """Lines that rest in the spool; nothing empties it."""
    return sum(path.read_bytes().count(b" F INFO ") for path in (folder / "logshed-spool").glob("*.seg"))


def _taken(pid: int, used: float, peak: int) -> tuple[float, int]:
    try:
        return _cpu(pid), max(peak, psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return used, peak


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _there(name: str) -> tuple[int, float, int]:
    """Processes of a name, the processor seconds and the bytes of memory that they took."""
    number, taken, memory = 0, 0.0, 0
    for one in psutil.process_iter(["name", "cpu_times", "memory_info"]):
        if one.info["name"] == name and one.info["cpu_times"] and one.info["memory_info"]:
            number += 1
            taken += one.info["cpu_times"].user + one.info["cpu_times"].system
            memory += one.info["memory_info"].rss
    return number, taken, memory


if __name__ == "__main__":
    main()
