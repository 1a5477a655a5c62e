"""Looks at a dashboard of a real ``logshed serve`` as many people do at once: how long until all its figures are there.

    python benchmarks/web.py LAKE [--users 50] [--rounds 6] [--every 10] [--dashboard overview] [--ingest]
                             [--window all] [--window 2026-01-10/2026-01-11] [--after 5]

A user asks for the page, then for its answers, six at once as browsers do, and again every ten seconds, with what they
have as ``If-None-Match``. Three figures are told of each window: the first look at a server that keeps nothing, all
users at once; the rounds after it; and, with ``--ingest``, rounds while a record is brought in every two seconds, which
makes all that is kept old. Clients are one more process; all share this machine's processors.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 6
PATIENCE_S = 120.0
KEPT_S = 3.0
"""How long an idle connection is used again: the server closes it after five seconds."""
BETWEEN_BATCHES_S = 2.0
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""One for all users: making one takes longer than a look, and none is needed."""


class Look(NamedTuple):
    """How long a look took, and how much of it was as before.

    Attributes:
        seconds: Until the last figure.
        page: Until the page itself.
        unchanged: Answers of status 304.
        answers: All answers.
    """

    seconds: float
    page: float
    unchanged: int
    answers: int


class Served(NamedTuple):
    """A server.

    Attributes:
        url: Its address.
        pid: Its process.
    """

    url: str
    pid: int

    @property
    def cpu(self) -> float:
        """Seconds of processors that it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class User:
    """One who looks.

    Args:
        url: The server.
        board: The dashboard's name.
        answers: Names of its answers.
        window: What is asked with.
    """

    def __init__(self, url: str, board: str, answers: list[str], window: dict[str, str]) -> None:
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE, keepalive_expiry=KEPT_S)
        self._client = httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, limits=limits, verify=PLAIN)
        self._board, self._answers, self._window = board, answers, window
        self._tags: dict[str, str] = {}

    async def look(self) -> Look:
        """The page and all its figures."""
        begun = time.perf_counter()
        path = "/" if self._board == "overview" else f"/dashboards/{self._board}"
        (await self._got(path)).raise_for_status()
        page = time.perf_counter() - begun
        unchanged = await asyncio.gather(*(self._figures(name) for name in self._answers))
        return Look(time.perf_counter() - begun, page, sum(unchanged), len(self._answers))

    async def _figures(self, name: str) -> bool:
        path = f"/api/v1/dashboards/{self._board}/answers/{name}"
        head = {"If-None-Match": self._tags[name]} if name in self._tags else {}
        told = await self._got(path, params={**self._window, "timezone": "UTC", "wait": "false"}, headers=head)
        if told.status_code == httpx.codes.NOT_MODIFIED:
            return True
        told.raise_for_status()
        self._tags[name] = told.headers["ETag"]
        return False

    async def _got(self, path: str, **more: Any) -> httpx.Response:
        """An answer; where an idle connection was closed meanwhile, by another one, as browsers do."""
        try:
            return await self._client.get(path, **more)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            return await self._client.get(path, **more)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


@contextmanager
def serving(lake: Path) -> Iterator[Served]:
    """A server of a lake on a free port."""
    command = [sys.executable, "-m", "logshed", "serve", "--no-tokens", "--listen", "127.0.0.1:0", "--lake", str(lake)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        found = None
        for line in server.stdout or ():
            if found := re.search(r"http://[^\s]+:\d+", line):
                break
        if found is None:
            raise SystemExit("the server ended")
        try:
            yield Served(found[0], server.pid)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


@contextmanager
def ingesting(lake: Path) -> Iterator[None]:
    """Bring in a record every two seconds, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        script = (
            "import sys, time; from pathlib import Path; from logshed.api import Lake\n"
            "lake, folder = Lake.open(Path(sys.argv[1])), Path(sys.argv[2])\n"
            "for number in range(10_000):\n"
            "    file = folder / f'{number}.jsonl'\n"
            "    stamp = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())\n"
            '    file.write_text(f\'{{"time":"{stamp}","level":"info","message":"{number}"}}\\n\')\n'
            "    lake.ingest([file]); time.sleep(float(sys.argv[3]))\n"
        )
        words = [sys.executable, "-c", script, str(lake), folder, str(BETWEEN_BATCHES_S)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as worker:
            try:
                yield
            finally:
                worker.terminate()


async def rounds(users: list[User], many: int, every: float) -> list[Look]:
    """Rounds of looks, each user beginning at their own moment of it."""

    async def one(number: int, user: User) -> list[Look]:
        await asyncio.sleep(every * number / len(users))
        found = []
        for _ in range(many):
            look = await user.look()
            found.append(look)
            await asyncio.sleep(max(0.0, every - look.seconds))
        return found

    return [look for found in await asyncio.gather(*(one(*pair) for pair in enumerate(users))) for look in found]


def said(name: str, looks: list[Look], cpu: float) -> None:
    """Print what looks came to, and the processors' seconds that the server took."""
    seconds = sorted(look.seconds for look in looks)
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    pages = statistics.median(look.page for look in looks)
    same = 100 * sum(look.unchanged for look in looks) / sum(look.answers for look in looks)
    print(
        f"{name:<44} looks {len(looks):>4}  median {statistics.median(seconds):6.3f} s  p95 {p95:6.3f} s  "
        f"longest {seconds[-1]:6.3f} s  page {pages:6.3f} s  unchanged {same:3.0f} %  server {cpu:6.2f} CPU s",
        flush=True,
    )


async def measured(lake: Path, served: Served, options: argparse.Namespace, window: str) -> None:
    """One window: first look, rounds, rounds while records come in."""
    since, _, until = window.partition("/")
    asked = {"since": since, **({"until": until} if until else {})}
    async with httpx.AsyncClient(base_url=served.url, timeout=PATIENCE_S, verify=PLAIN) as client:
        answers = list((await client.get(f"/api/v1/dashboards/{options.dashboard}")).json()["answers"])
    users = [User(served.url, options.dashboard, answers, asked) for _ in range(options.users)]
    before = served.cpu
    said(f"{window}: first, all at once", await together(users), served.cpu - before)
    before = served.cpu
    looks = await rounds(users, options.rounds, options.every)
    said(f"{window}: every {options.every:g} s", looks, served.cpu - before)
    if options.ingest:
        with ingesting(lake):
            await asyncio.sleep(10)
            before = served.cpu
            looks = await rounds(users, options.rounds, options.every)
            said(f"{window}: while ingesting", looks, served.cpu - before)
    await asyncio.gather(*(user.close() for user in users))


async def together(users: list[User]) -> list[Look]:
    """A look of each, all at once."""
    return list(await asyncio.gather(*(user.look() for user in users)))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=Path)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--dashboard", default="overview")
    parser.add_argument("--window", action="append")
    parser.add_argument("--after", type=float, default=0.0, help="seconds after the start, in which it looks ahead")
    parser.add_argument("--ingest", action="store_true", help="bring records into the lake meanwhile: it is changed")
    options = parser.parse_args()
    print(f"{options.users} users, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
    for window in options.window or ["24h", "all"]:
        with serving(options.lake) as served:
            time.sleep(options.after)
            asyncio.run(measured(options.lake, served, options, window))


if __name__ == "__main__":
    main()
