"""A server that is killed while it sends, and the one that takes its place: nobody takes a part for the whole."""

from __future__ import annotations

import io
import json
import signal
import threading
import time
from base64 import b64encode
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Self

import httpx
import pyarrow.parquet as pq
import pytest
from pyarrow import ArrowInvalid
from tests.ports import free_port
from tests.web_people import PASSWORD

from logshed.access import People
from logshed.access.sessions import csrf
from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.started import Process, Starter

LINES, WIDE = 24_000, 600
"""More than sockets hold: who reads slowly is still being sent to when the server is killed."""
LONG = "SELECT range AS n, repeat('y', 1000) AS text FROM range(50_000_000)"
SECONDS = 60.0
BATCHES, A_BATCH, KILLED_AFTER = 9, 4, 4
LAST = "the end"
GRACE = 20.0
"""What is being sent would go on for minutes."""


class Site:
    """A lake with a server that can be killed and begun again at the same address.

    Args:
        folder: Where it runs.
        starter: Starts it.
        environment: With what.
    """

    def __init__(self, folder: Path, starter: Starter, environment: dict[str, str]) -> None:
        self.folder, self.temporary = folder, folder / "tmp"
        self.temporary.mkdir()
        self._starter = starter
        self._environment = {**environment, "TMPDIR": str(self.temporary)}
        self.url = f"http://127.0.0.1:{free_port()}"
        people = People(folder / "logshed-accounts.db")
        user = people.accounts.add("root", "admin")
        people.accounts.set_password(user.id, PASSWORD)
        self.cookies = {"logshed_session": people.sessions.begin(user.id, via="password")[0]}
        self.process: Process | None = None

    def begin(self) -> None:
        """Begin it, and wait until it answers."""
        words = ["serve", "--listen", self.url.removeprefix("http://")]
        self.process = self._starter.open(words, self.folder, self._environment, self.folder / "told")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                httpx.get(f"{self.url}/ready", timeout=SECONDS)
                return
            time.sleep(0.05)
        pytest.fail(f"it does not answer: {(self.folder / 'told').read_text()}")

    def end(self, number: int) -> float:
        """Send it a signal; gives the seconds until it has ended."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(SECONDS)
        return time.monotonic() - begun

    def stream(self, stack: ExitStack, method: str, path: str, **words: Any) -> httpx.Response:
        """An answer of which nothing is read yet."""
        client = stack.enter_context(httpx.Client(base_url=self.url, cookies=self.cookies, timeout=SECONDS))
        headers = {"X-CSRF-Token": csrf(self.cookies["logshed_session"]), **words.pop("headers", {})}
        answer = stack.enter_context(client.stream(method, f"/api/v1{path}", headers=headers, **words))
        assert answer.status_code == 200
        return answer


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, starter: Starter, environment: dict[str, str]) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("restart")
    file = folder / "many.jsonl"
    chance = Random(1)  # noqa: S311 - such texts are not made small by packing
    texts = (b64encode(chance.randbytes(WIDE)).decode() for _ in range(LINES))
    file.write_text("".join(f'{{"message":"{text}","level":"info"}}\n' for text in texts))
    Lake.open(folder / "logshed-lake", create=True).ingest([file], collection="many")
    made = Site(folder, starter, environment)
    yield made
    made.end(signal.SIGKILL)


@pytest.fixture(autouse=True)
def _running(site: Site) -> None:
    if site.process is None or site.process.poll() is not None:
        site.begin()


def streams(site: Site, stack: ExitStack) -> dict[str, tuple[httpx.Response, Iterator[bytes]]]:
    """Answers that are on their way, each begun."""
    asked = {
        name: site.stream(stack, "GET", "/export", params={"since": "all", "format": name})
        for name in ("ndjson", "csv", "parquet", "arrow")
    }
    asked["sql"] = site.stream(stack, "POST", "/sql", json={"sql": LONG})
    asked["rows"] = site.stream(stack, "POST", "/sql?format=rows", json={"sql": LONG})
    pieces = {name: answer.iter_raw() for name, answer in asked.items()}
    return {name: (answer, pieces[name]) for name, answer in asked.items() if next(pieces[name])}


def cut(pieces: Iterator[bytes]) -> tuple[bool, bytes]:
    """The rest of an answer, and whether who reads it is told that it is not whole."""
    held = bytearray()
    try:
        for piece in pieces:
            held += piece
    except httpx.TransportError:
        return True, bytes(held)
    return False, bytes(held)


def children(process: int) -> list[int]:
    """The processes that one has begun."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(one) for task in tasks for one in (task / "children").read_text().split()]


def test_whoever_is_sent_something_when_the_server_is_killed_learns_that_it_is_not_whole(site: Site) -> None:
    with ExitStack() as stack:
        begun = streams(site, stack)
        assert site.process is not None
        helpers = children(site.process.pid)
        assert helpers
        site.end(signal.SIGKILL)
        told = {name: cut(pieces) for name, (_, pieces) in begun.items()}
    assert {name: was_cut for name, (was_cut, _) in told.items()} == dict.fromkeys(begun, True)
    with pytest.raises(ArrowInvalid):
        pq.read_table(io.BytesIO(told["parquet"][1]))
    end = time.monotonic() + SECONDS
    while any(Path(f"/proc/{one}").exists() for one in helpers):
        assert time.monotonic() < end, "what ran a statement goes on without its server"
        time.sleep(0.05)


def test_a_session_outlives_a_server_that_is_killed(site: Site) -> None:
    asked = f"{site.url}/api/v1/session"
    before = httpx.get(asked, cookies=site.cookies, timeout=SECONDS).json()
    site.end(signal.SIGKILL)
    site.begin()
    assert httpx.get(asked, cookies=site.cookies, timeout=SECONDS).json() == before
    assert before["name"] == "root"


class Tail:
    """Follows as a browser does: when it is cut off it comes again, with the id of the last event.

    Args:
        site: What is followed.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.lines: list[str] = []
        self.last = ""
        self.begun = threading.Event()
        self.cuts = 0
        self.over = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether it is told to end, or has read the last line."""
        return self.over or LAST in self.lines

    def join(self) -> None:
        """Wait until it has read the last line."""
        self._thread.join(SECONDS)

    def _run(self) -> None:
        while not self.ended:
            try:
                with ExitStack() as stack:
                    headers = {"Last-Event-ID": self.last} if self.last else {}
                    asked = {"since": "all", "collection": "fresh", "field": "body"}
                    self._read(self._site.stream(stack, "GET", "/tail", params=asked, headers=headers))
            except httpx.TransportError:
                self.cuts += 1
                time.sleep(0.1)

    def _read(self, answer: httpx.Response) -> None:
        told: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                told[name] = value
                continue
            self.last = told.get("id", self.last)
            if told.get("event") == "records":
                self.lines += [one["body"] for one in json.loads(told["data"])["items"]]
            self.begun.set()
            told = {}
            if self.ended:
                return


def test_a_tail_goes_on_where_it_was_when_the_server_is_killed_while_records_come(site: Site) -> None:
    lake = Lake.open(site.folder / "logshed-lake")
    with Tail(site) as tail:
        assert tail.begun.wait(SECONDS)
        for batch in range(BATCHES):
            file = site.folder / f"fresh-{batch}.jsonl"
            file.write_text("".join(f'{{"message":"line {batch}-{number}"}}\n' for number in range(A_BATCH)))
            lake.ingest([file], collection="fresh")
            if batch == KILLED_AFTER:
                site.end(signal.SIGKILL)
            if batch == KILLED_AFTER + 2:
                site.begin()
        wanted = sorted(f"line {batch}-{number}" for batch in range(BATCHES) for number in range(A_BATCH))
        end = time.monotonic() + SECONDS
        while len(tail.lines) < len(wanted) and time.monotonic() < end:
            time.sleep(0.1)
        lake.ingest([_one_more(site)], collection="fresh")  # which ends the reading
        tail.join()
    assert sorted(tail.lines) == sorted([*wanted, LAST])
    assert tail.cuts >= 1


def _one_more(site: Site) -> Path:
    file = site.folder / "end.jsonl"
    file.write_text(f'{{"message":"{LAST}"}}\n')
    return file


def test_a_server_that_is_told_to_end_does_so_soon_and_nobody_takes_a_part_for_the_whole(site: Site) -> None:
    with ExitStack() as stack:
        begun = streams(site, stack)
        tail = site.stream(stack, "GET", "/tail", params={"since": "all"}).iter_raw()
        assert b"begun" in next(tail)
        assert site.end(signal.SIGTERM) < GRACE
        assert {name: cut(pieces)[0] for name, (_, pieces) in begun.items()} == dict.fromkeys(begun, True)
        cut(tail)
    left = set(site.temporary.iterdir())
    site.begin()
    with ExitStack() as stack:
        assert site.stream(stack, "POST", "/sql", json={"sql": "SELECT 1 AS one"}).read() == b'{"one":1}\n'
    there = set(site.temporary.iterdir())
    assert len(there) == 1
    assert not there & left, "what servers left that were ended or killed is still there"
