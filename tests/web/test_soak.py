"""Long use of one server: its memory does not grow, and hundreds who watch miss nothing.

``LOGSHED_SOAK_MINUTES`` says how long. Figures are printed: ``pytest -m soak -s tests/web/test_soak.py``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest
from tests.web.conftest import EXAMPLES

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.soak
MINUTES = float(os.environ.get("LOGSHED_SOAK_MINUTES", "30"))
USERS, READERS = 6, 500
BATCHES, A_BATCH = 20, 25
SAMPLE_S = 5.0
COMPACT_AFTER = 20
"""Batches: a question over more files takes more memory while it runs, and a lake that is cared for has few."""
FLAT = 0.03
"""The share that the median of memory may grow by from the second third to the last; the first third warms up."""
SPARE = 5
"""Files, threads, processes or files on disk that the least of a third may have more than that of the one before."""
WAIT_S = 120.0
TICK = os.sysconf("SC_CLK_TCK")
SEARCHES = ["", "level:error", "status>=500", "GET", "path:/index*", "jenkins OR ssh", "user_agent:*bot*"]
ASKED = [
    "/?since=all",
    "/explore",
    "/patterns",
    "/security",
    "/collections",
    "/api/v1/records?since=all&limit=200&q={}",
    "/api/v1/search/window?since=all&q={}",
    "/api/v1/search/bars?since=all&q={}",
    "/api/v1/search/bars?since=all&by=service_name&q={}",
    "/api/v1/search/patterns?since=all&q={}",
    "/api/v1/fields?since=all&q={}",
    "/api/v1/fields/values?field=service_name&since=all&q={}",
    "/api/v1/export?since=all&format=csv&q={}",
    "/api/v1/export?since=all&format=parquet&q={}",
    "/api/v1/dashboards/overview/answers/{answer}?since=all",
    "/api/v1/dashboards/traffic",
    "/api/v1/incidents?since=all",
    "/api/v1/sources",
    "/api/v1/collections",
    "/api/v1/admin/health",
    "/api/v1/nothing",
    "/api/v1/records?q=nope:1",
]
SQL = "SELECT service_name, count(*) AS n FROM logs GROUP BY ALL ORDER BY n DESC"


class Sample(NamedTuple):
    """What a server has at a moment.

    Attributes:
        megabytes: Memory of its own process that is no file's.
        files: That it has open.
        threads: That it runs.
        children: Processes that it has started and that have not gone.
        spilled: Temporary files of it and of its processes.
    """

    megabytes: float
    files: int
    threads: int
    children: int
    spilled: int


class Server(NamedTuple):
    """One that runs in a process of its own.

    Attributes:
        url: Where.
        pid: Its process.
        lake: What it serves.
        spills: Where it and its processes put temporary files.
    """

    url: str
    pid: int
    lake: Lake
    spills: Path

    def megabytes(self) -> float:
        """Memory of its own process that is no file's."""
        told = Path(f"/proc/{self.pid}/status").read_text()
        return int(told.partition("RssAnon:")[2].split()[0]) / 1024

    def sample(self) -> Sample:
        """What it has now."""
        of = Path(f"/proc/{self.pid}")
        threads = list((of / "task").iterdir())
        children = sum(len(_read(one / "children").split()) for one in threads)
        spilled = sum(len(names) for *_, names in os.walk(self.spills))
        return Sample(self.megabytes(), len(list((of / "fd").iterdir())), len(threads), children, spilled)

    def seconds(self) -> float:
        """Of processors."""
        told = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / TICK


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the thread has gone meanwhile
        return ""


@pytest.fixture
def server(tmp_path: Path, environment: dict[str, str]) -> Iterator[Server]:
    lake = Lake.open(tmp_path / "logshed-lake", create=True)
    lake.ingest([EXAMPLES / "access.log"], collection="web")
    lake.ingest([EXAMPLES / name for name in ("app.jsonl", "auth.log", "docker-json.log")], collection="app")
    words = [sys.executable, "-m", "logshed", "serve", "--no-tokens", "--listen", "127.0.0.1:0"]
    (spills := tmp_path / "spills").mkdir()
    told = environment | {"TMPDIR": str(spills)}
    with subprocess.Popen(words, cwd=tmp_path, env=told, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            url = process.stderr.readline().split()[3].rstrip("/")
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Server(url, process.pid, lake, spills)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_S)


@contextmanager
def many_files_open() -> Iterator[None]:
    """Let this process hold a connection for each reader."""
    import resource  # noqa: PLC0415 - of Unix

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 4 * READERS), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def watch(url: str, begun: asyncio.Semaphore, taken: list[str]) -> None:
    """Take every line that a tail tells of, until there are all."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**24)
    path = "/api/v1/tail?since=all&collection=fresh&field=body"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    try:
        while len(taken) < BATCHES * A_BATCH and (line := await reader.readline()):
            if line.startswith(b"event: begun"):
                begun.release()
            elif line.startswith(b'data: {"total"'):
                taken += [one["body"] for one in json.loads(line[6:])["items"]]
    finally:
        writer.close()


async def crowd(server: Server, folder: Path) -> tuple[list[list[str]], float]:
    """Readers, and what each took; and the most memory that the server had."""
    begun, taken = asyncio.Semaphore(0), [list[str]() for _ in range(READERS)]
    tasks = [asyncio.create_task(watch(server.url, begun, one)) for one in taken]
    for _ in range(READERS):
        await asyncio.wait_for(begun.acquire(), WAIT_S)
    most = server.megabytes()
    for batch in range(BATCHES):
        file = folder / f"fresh-{batch}.jsonl"
        file.write_text("".join(f'{{"message":"{batch}-{number}"}}\n' for number in range(A_BATCH)))
        await asyncio.to_thread(server.lake.ingest, [file], collection="fresh")
        most = max(most, server.megabytes())
    await asyncio.wait(tasks, timeout=WAIT_S)
    for task in tasks:
        task.cancel()
    return taken, max(most, server.megabytes())


def test_hundreds_who_watch_get_each_line_once_while_records_come(server: Server, tmp_path: Path) -> None:
    wanted = sorted(f"{batch}-{number}" for batch in range(BATCHES) for number in range(A_BATCH))
    before, used, begun = server.megabytes(), server.seconds(), time.monotonic()
    with many_files_open():
        taken, most = asyncio.run(crowd(server, tmp_path))
    seconds, took = time.monotonic() - begun, server.seconds() - used
    print(  # noqa: T201 - figures for who asked for them
        f"\n{READERS} readers of {len(wanted)} lines in {seconds:.0f} s: {took:.1f} s of a processor,"
        f" memory {before:.0f} MB before, {most:.0f} MB at most"
    )
    assert sum(sorted(one) != wanted for one in taken) == 0
    assert most - before < READERS  # a megabyte a reader


class Use(threading.Thread):
    """Somebody who asks one thing after the other.

    Args:
        server: Of whom.
        number: Which of them: they ask in other orders.
        over: Set when it is enough.
        answers: Names of the overview's figures.
    """

    def __init__(self, server: Server, number: int, over: threading.Event, answers: list[str]) -> None:
        super().__init__()
        self._server, self._over, self._answers = server, over, answers
        self._chance = random.Random(number)  # noqa: S311 - a test's
        self.asked = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        """Ask until it is enough."""
        with httpx.Client(base_url=self._server.url, timeout=WAIT_S) as client:
            while not self._over.is_set():
                self._once(client)
                self.asked += 1

    def _once(self, client: httpx.Client) -> None:
        kind = self._chance.random()
        if kind < 0.05:
            with client.stream("GET", "/api/v1/tail", params={"since": "all"}) as told:
                next(told.iter_lines())
        elif kind < 0.1:  # somebody who goes away while they are sent something
            with client.stream("POST", "/api/v1/sql", json={"sql": "SELECT * FROM range(10_000_000)"}) as told:
                next(told.iter_raw())
        elif kind < 0.2:
            self._look("sql", client.post("/api/v1/sql", json={"sql": SQL}))
        else:
            path = self._chance.choice(ASKED)
            path = path.format(self._chance.choice(SEARCHES), answer=self._chance.choice(self._answers))
            self._look(path, client.get(path))

    def _look(self, what: str, answer: httpx.Response) -> None:
        if answer.status_code >= 500:
            self.wrong.append(f"{what}: {answer.status_code} {answer.text[:200]}")


def use_it(server: Server, folder: Path, users: list[Use], over: threading.Event) -> list[Sample]:
    """What the server had while it was asked, and while records came."""
    for user in users:
        user.start()
    samples: list[Sample] = []
    begun = time.monotonic()
    while time.monotonic() - begun < 60 * MINUTES:
        fresh = len(samples)
        file = folder / f"fresh-{fresh % 10}.jsonl"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines = (f'{{"time":"{stamp}","level":"info","message":"{fresh}-{number}"}}\n' for number in range(50))
        file.write_text("".join(lines))
        server.lake.ingest([file], collection="fresh")
        if fresh % COMPACT_AFTER == COMPACT_AFTER - 1:
            server.lake.maintain(["compact"])
        samples.append(server.sample())
        over.wait(SAMPLE_S)
    over.set()
    for user in users:
        user.join(WAIT_S)
    return samples


def test_memory_and_all_that_is_open_stay_as_they_are_however_long_it_is_used(server: Server, tmp_path: Path) -> None:
    over = threading.Event()
    answers = list(httpx.get(f"{server.url}/api/v1/dashboards/overview", timeout=WAIT_S).json()["answers"])
    users = [Use(server, number, over, answers) for number in range(USERS)]
    samples = use_it(server, tmp_path, users, over)
    third = len(samples) // 3
    thirds = [samples[at * third : (at + 1) * third] for at in range(3)]
    first, middle, last = (statistics.median(one.megabytes for one in part) for part in thirds)
    least = [Sample(*map(min, zip(*part, strict=True))) for part in thirds]
    most = Sample(*map(max, zip(*samples, strict=True)))
    print(  # noqa: T201 - figures for who asked for them
        f"\n{MINUTES:g} minutes, {sum(user.asked for user in users)} asked, {len(samples)} batches: memory"
        f" {samples[0].megabytes:.0f} MB at the start, median of thirds {first:.0f}, {middle:.0f}, {last:.0f} MB,"
        f" {samples[-1].megabytes:.0f} MB at the end\nleast of thirds {least}\nmost {most}"
    )
    assert [one for user in users for one in user.wrong] == []
    assert last <= middle * (1 + FLAT)
    held = zip(Sample._fields[1:], least[1][1:], least[2][1:], strict=True)
    assert [name for name, before, after in held if after > before + SPARE] == []
