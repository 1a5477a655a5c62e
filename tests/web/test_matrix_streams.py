"""What streams tell whom: every one there is, read by each who may, while records of a foreign collection come."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import polars as pl
import pytest
from tests.pipeline import security_lake
from tests.pipeline.security_lake import line, write
from tests.redis_server import RedisServer
from tests.web.test_matrix import CANARY, FOREIGN, OWN, Caller, bearer, cookie, made_tokens, may, walked, words
from tests.web_people import team
from tests.web_server import web_server
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from logshed.access import People, Tokens
from logshed.api import Lake
from logshed.live import pieces
from logshed.live.hot import HotStore, Origin
from logshed.web.app import application
from logshed.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENTS = "text/event-stream"
ASKED = {"/loki/api/v1/tail": {"query": '{collection=~".+"}'}}
"""What a stream has to be asked with."""
EVERYTHING = {"admin", "token to do all everywhere"}
NOTHING = "token of a viewer"
"""It is for all collections, of which its user has one: so for none."""
SECONDS = 60.0


class Streams(NamedTuple):
    """A server, who calls it, and what lies behind it."""

    url: str
    callers: dict[str, Caller]
    lake: Lake
    store: HotStore


class Reader(threading.Thread):
    """One who reads a stream to its end."""

    def __init__(self, url: str, path: str, caller: Caller) -> None:
        super().__init__(daemon=True)
        self.name = f"{path} by {caller.name}"
        self.text, self.begun = "", threading.Event()
        self._url, self._path, self._caller = url, path, caller

    def run(self) -> None:
        """Read."""
        parts = self._socket() if self._path.startswith("/loki") else self._events()
        for part in parts:
            self.text += part
            self.begun.set()

    def _events(self) -> Iterator[str]:
        asked = {"headers": {**self._caller.headers, "Accept": EVENTS}, "timeout": SECONDS * 2}
        try:
            with httpx.stream("GET", self._url + self._path, **asked) as answer:  # type: ignore[arg-type]
                assert answer.headers["content-type"].startswith(EVENTS), answer.status_code
                yield from answer.iter_text()
        except httpx.TransportError:
            return  # the server ends

    def _socket(self) -> Iterator[str]:
        path = str(httpx.URL(self._path, params=ASKED[self._path]))
        with connect(f"ws{self._url.removeprefix('http')}{path}", additional_headers=self._caller.headers) as socket:
            try:
                for message in socket:
                    yield str(message)
            except ConnectionClosed:
                return


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streams]:
    folder = tmp_path_factory.mktemp("streams")
    people, tokens, users = team(folder, scopes=(OWN,))
    callers = {name: cookie(name, one.secret) for name, one in users.items()}
    callers |= {name: bearer(name, token) for name, token in made_tokens(tokens, users).items()}
    with RedisServer(folder / "redis") as redis:
        plain, store = security_lake.opened(folder), redis.hot()
        lake = Lake(plain.root, plain.settings.model_copy(update={"live": redis.live()}))
        with web_server(lake, tokens, people) as url:
            yield Streams(url, callers, lake, store)
        store.close()


def every_stream(lake: Lake, folder: Path) -> list[str]:
    """The paths of all streams that the application has."""
    app = application(Site(lake, Tokens(folder / "t.db"), people=People(folder / "a.db")))
    routes: list[Any] = list(walked(app.router.routes))
    return [one.path for one in routes if not hasattr(one, "methods") or EVENTS in kinds(one)]


def kinds(route: Any) -> set[str]:
    """The kinds of what a route answers, as it declares them."""
    declared = getattr(route, "responses", {}).get(200, {})
    return set(declared.get("content", {}))


def planted(streams: Streams, folder: Path) -> None:
    """Let records of both collections arrive in the lake and in the hot store, and be found."""
    now = datetime.now(UTC)
    for name, word in ((FOREIGN, CANARY), (OWN, "plain")):
        write(streams.lake, folder / f"{word}.log", name, line(path=f"/{word}", agent="Scanner", who="192.0.2.9"))
    rows = [
        ("test", "1", at, name, now, f"a line of {word}", "FR", "IDF", "Paris", 48.86, 2.35)
        for at, (name, word) in enumerate(((FOREIGN, CANARY), (OWN, "plain")))
    ]
    streams.store.put(pl.DataFrame(rows, schema=pieces.SCHEMA, orient="row"), Origin("logshed:cursor:test"))
    streams.lake.security.detect(security_lake.RULES)


def test_no_stream_tells_of_a_foreign_collection_and_each_tells_of_ones_own(streams: Streams, tmp_path: Path) -> None:
    paths = every_stream(streams.lake, tmp_path)
    assert len(paths) > 4
    readers = {
        (path, name): Reader(streams.url, path, caller)
        for path in paths
        for name, caller in streams.callers.items()
        if may(name, "read")
    }
    for reader in readers.values():
        reader.start()
    assert [one.name for one in readers.values() if not one.begun.wait(SECONDS)] == []
    planted(streams, tmp_path)
    end = time.monotonic() + SECONDS
    waits = {key: one for key, one in readers.items() if key[1] != NOTHING}
    while time.monotonic() < end and (waits := {key: one for key, one in waits.items() if not told(key[1], one)}):
        time.sleep(0.1)
    assert [one.name for one in waits.values()] == []
    foreign = [one.name for (_, name), one in readers.items() if name not in EVERYTHING and words(one.text)]
    assert foreign == []


def told(name: str, reader: Reader) -> bool:
    """Whether a reader was told what they may see of what came."""
    return OWN in reader.text and (name not in EVERYTHING or FOREIGN in reader.text)
