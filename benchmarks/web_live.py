"""How long a line takes to those who watch, while many do: one server, one Redis, many readers of the live streams.

``python benchmarks/web_live.py --readers 500 --rate 200`` starts a Redis and the web application in a process of its
own, opens so many streams (half of them tails, half of them maps), brings lines into the hot store at a rate, and tells
how many of them each reader was told of, after how long, and what that took of the server's processor and memory.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.redis_server import RedisServer

from logshed.live import pieces
from logshed.live.hot import HotStore, Origin
from logshed.live_settings import Live

PLACES = [("FR", "IDF", "Paris", 48.86, 2.35), ("US", "NY", "New York", 40.71, -74.01), (None,) * 5]
TICK = os.sysconf("SC_CLK_TCK")


class Reader:
    """One who watches: counts what comes, and how long it took."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.hits = 0
        self.delays: list[float] = []
        self.ready = asyncio.Event()
        self.cut = False

    async def watch(self, port: int) -> None:
        """Read until the connection ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        writer.write(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        name = b""
        try:
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    name = line[7:].strip()
                    if name == b"hello":
                        self.ready.set()
                elif name == b"tick" and line.startswith(b"data: "):
                    self.take(orjson.loads(line[6:]))
        finally:
            self.cut = True
            writer.close()

    def take(self, tick: dict[str, Any]) -> None:
        """Count a message."""
        now = time.time()
        for part in tick["by"].values():
            self.hits += part["n"]
            self.delays += [now - at for at, _ in part["l"][-1:]]


def rows(first: int, count: int) -> pl.DataFrame:
    """Lines of ten collections, each with the time at which it is written."""
    now = datetime.now(UTC)
    made = [
        ("bench", "1", first + at, f"shop-{at % 10}", now + timedelta(microseconds=at), "x" * 240, *PLACES[at % 3])
        for at in range(count)
    ]
    return pl.DataFrame(made, schema=pieces.SCHEMA, orient="row")


def taken(pid: int) -> tuple[float, float]:
    """Processor seconds and resident megabytes of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(fields[11]) + int(fields[12])) / TICK, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measured(port: int, pid: int, store: HotStore, readers: int, rate: int, seconds: float) -> None:
    """Watch, write, tell."""
    base = "/api/v1/live/"
    kinds = ["tail", "events"]
    watching = [Reader(f"{base}{kinds[at % 2]}{'' if at % 4 < 2 else '?collection=shop-3'}") for at in range(readers)]
    begun = time.monotonic()
    tasks = [asyncio.create_task(one.watch(port)) for one in watching]
    await asyncio.gather(*(asyncio.wait_for(one.ready.wait(), 60) for one in watching))
    print(f"{readers} readers were let in within {time.monotonic() - begun:.1f} s")
    await asyncio.sleep(2)
    cpu, _ = taken(pid)
    begun, written = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        due = int(passed * rate) - written
        if due:
            await asyncio.to_thread(store.put, rows(written, due), Origin("logshed:cursor:bench"))
            written += due
        await asyncio.sleep(0.05)
    took = time.monotonic() - begun
    await asyncio.sleep(3)
    used, memory = taken(pid)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    delays = sorted(delay for one in watching for delay in one.delays)
    all_of = [one.hits for one in watching if "?" not in one.path]
    print(f"{written:,} lines in {took:.1f} s; readers of all were told of {min(all_of):,} to {max(all_of):,}")
    worst = delays[int(len(delays) * 0.99)]
    print(f"told after {statistics.median(delays):.2f} s (median), {worst:.2f} s (99 %), {delays[-1]:.2f} s at worst")
    print(f"the server took {(used - cpu) / took:.0%} of a processor and {memory:,.0f} MB")


def main() -> None:
    """Measure."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--readers", type=int, default=500)
    words.add_argument("--rate", type=int, default=200, help="lines a second")
    words.add_argument("--seconds", type=float, default=20)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder) / "redis", maxmemory="512mb") as redis:
        environment = {**os.environ, "LOGSHED_LIVE_REDIS": redis.url, "LOGSHED_LAKE": f"{folder}/lake"}
        words_of = [sys.executable, "-m", "logshed", "serve", "--no-tokens", "--listen", "127.0.0.1:0"]
        server = subprocess.Popen(words_of, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            said = server.stderr.readline() if server.stderr else ""
            port = int(said.partition("://")[2].split(":")[1].split("/")[0])
            store = HotStore.open(Live.model_validate({"redis": redis.url}))
            asyncio.run(measured(port, server.pid, store, given.readers, given.rate, given.seconds))
            store.close()
        finally:
            server.terminate()
            server.wait(20)


if __name__ == "__main__":
    main()
