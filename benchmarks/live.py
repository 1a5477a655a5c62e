"""Measures `logshed live import` into a Redis on this machine: lines a second, delay, memory; beside one ZADD a line.

The naive importer is what people write first: for each line a ZADD and four counters, each waiting for its answer; it
neither redacts nor parses more than the collection and a time. Lines are those of the shared access log where it is
there, else made up.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.redis_server import RedisServer  # noqa: E402 - the path comes first

SHARED = ROOT.parent / "shared" / "truth" / "files" / "apache_logs" / "apache_logs"
MADE_UP = '192.0.2.{0} - - [T] "GET /item/{1} HTTP/1.1" 200 {1} "-" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko"'
COLLECTIONS = 200


def main() -> None:
    """Print the figures as JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--lines", type=int, default=1_000_000, help="lines of the import")
    words.add_argument("--naive", type=int, default=30_000, help="lines of the naive importer")
    words.add_argument("--rate", type=int, default=60_000, help="lines a second whose delay is measured")
    words.add_argument("--seconds", type=int, default=30, help="how long they come at that rate")
    given = words.parse_args()
    for name, measure in (("import", imported), ("naive", naive), ("delay", delay)):
        with tempfile.TemporaryDirectory() as folder:
            options = {"maxmemory": "4gb", "appendonly": "no"}
            with RedisServer(Path(folder) / "redis", **options) as server:
                print(json.dumps({name: measure(server, Path(folder), given)}, indent=2), flush=True)


def lines(count: int) -> list[str]:
    """Access lines with the collection at their end, without their time."""
    if SHARED.is_file():
        real = [re.sub(r"\[[^]]*\]", "[T]", line, count=1) for line in SHARED.read_text(errors="replace").splitlines()]
    else:
        real = [MADE_UP.format(number % 256, number) for number in range(10_000)]
    return [f"{real[number % len(real)]} {1800 + number % COLLECTIONS}" for number in range(count)]


def timed(found: list[str], begin: float, rate: float) -> str:
    """The lines as they would be written at a rate from a second on."""
    stamps = [datetime.fromtimestamp(begin + number / rate, UTC) for number in range(0, len(found), 1_000)]
    return "".join(
        f"{line.replace('[T]', stamps[number // 1_000].strftime('[%d/%b/%Y:%H:%M:%S +0000]'))}\n"
        for number, line in enumerate(found)
    )


def importer(server: RedisServer, folder: Path, **options: Any) -> psutil.Popen:
    """The command, reading standard input."""
    words = [sys.executable, "-m", "logshed", "live", "import", "--collection-from", " ([0-9]+)$", "--json"]
    environment = {**os.environ, "LOGSHED_LIVE_REDIS": server.url, "LOGSHED_LIVE_LINES": "10000000"}
    return psutil.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options
    )


def imported(server: RedisServer, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """As fast as it goes."""
    data = timed(lines(given.lines), time.time() - given.lines / given.rate, given.rate).encode()
    (folder / "a.log").write_bytes(data)
    before = int(server.client().info("memory")["used_memory"])
    redis, begun = psutil.Process(server.client().info("server")["process_id"]), time.monotonic()
    with (folder / "a.log").open("rb") as file:
        cat = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        process = importer(server, folder, stdin=cat.stdout)
        used = process.cpu_times()
        while process.status() != psutil.STATUS_ZOMBIE:
            used = process.cpu_times()
            time.sleep(0.05)
    report = json.loads(process.communicate()[0])
    seconds = time.monotonic() - begun
    memory = int(server.client().info("memory")["used_memory"]) - before
    return {
        "lines": report["counted"],
        "seconds": round(seconds, 2),
        "lines_per_second": round(report["counted"] / seconds),
        "lines_per_second_once_started": round(report["counted"] / report["seconds"]),
        "importer_cpu_seconds": round(used.user + used.system, 1),
        "redis_cpu_seconds": round(sum(redis.cpu_times()[:2]), 1),
        "bytes_per_line": round(len(data) / report["counted"] - 1, 1),
        "memory_per_byte": round(memory / (len(data) - report["counted"]), 2),
    }


def naive(server: RedisServer, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """A command a line and counter, each waiting for its answer."""
    del folder
    client, text = server.client(), timed(lines(given.naive), time.time(), given.rate)
    begun = time.monotonic()
    for line in text.splitlines():
        collection = line.rpartition(" ")[2]
        moment = datetime.strptime(line.partition("[")[2].partition("]")[0], "%d/%b/%Y:%H:%M:%S %z").timestamp()
        client.zadd(f"logs:collid:{collection}", {line: moment})
        client.hincrby("known:", f"hits:{collection}", 1)
        client.zincrby(f"location:collid:{collection}", 1, "US--")
        client.incr("requests:country:US")
        client.incr(f"requests:country:US:{collection}")
    seconds = time.monotonic() - begun
    return {
        "lines": given.naive,
        "lines_per_second": round(given.naive / seconds),
        "lines_lost": given.naive - sum(client.zcard(key) for key in client.keys("logs:collid:*")),
    }


def delay(server: RedisServer, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """From the writing of a line to its being read, at a steady rate."""
    process = importer(server, folder, stdin=subprocess.PIPE)
    found = lines(given.rate)
    late: list[float] = []
    over = threading.Event()

    def look() -> None:
        client = server.client()
        while not over.wait(0.05):
            newest = client.zrevrange("logs:collid:1800", 0, 0)
            if newest and (sent := re.search(rb'"(\d+\.\d+)" 1800$', newest[0])):
                late.append(time.time() - float(sent[1]))

    looking = threading.Thread(target=look)
    looking.start()
    time.sleep(3)
    step = given.rate // 20
    begun = time.monotonic()
    for number in range(given.seconds * 20):
        now = time.time()
        part = found[(number % 20) * step : (number % 20 + 1) * step]
        stamp = datetime.fromtimestamp(now, UTC).strftime("[%d/%b/%Y:%H:%M:%S +0000]")
        text = "".join(f'{line.replace("[T]", stamp).rpartition(" ")[0]} "{now:.3f}" {line[-4:]}\n' for line in part)
        process.stdin.write(text.encode())
        process.stdin.flush()
        time.sleep(max(0.0, begun + (number + 1) / 20 - time.monotonic()))
    sent_in = time.monotonic() - begun
    over.set()
    looking.join()
    process.stdin.close()
    report = json.loads(process.stdout.read())
    process.wait()
    late = sorted(late[len(late) // 5 :])  # the first lines wait for the format to be told
    return {
        "lines": report["counted"],
        "lines_per_second": round(report["counted"] / sent_in),
        "delay_median_s": round(late[len(late) // 2], 2),
        "delay_99_s": round(late[len(late) * 99 // 100], 2),
        "delay_worst_s": round(late[-1], 2),
    }


if __name__ == "__main__":
    main()
