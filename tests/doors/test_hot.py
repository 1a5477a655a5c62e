"""The live map as it is run, over a real Redis."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.doors.conftest import Opened, opened
from tests.redis_server import RedisServer

from logshed.access import Tokens
from logshed.doors import stream
from logshed.live import hot, pieces
from logshed.live.hot import HotStore, Origin
from logshed.live_settings import Live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLACES = [("FR", "IDF", "Paris", 48.86, 2.35), ("US", "NY", "New York", 40.71, -74.01), (None,) * 5]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis of the test's own."""
    with RedisServer(tmp_path / "redis") as server:
        yield server.url


def rows(first: int, count: int) -> pl.DataFrame:
    """Records of the collections 0 and 1 in turns, from the places in turns."""
    numbers, now = range(first, first + count), datetime.now(UTC)
    places = [PLACES[number % len(PLACES)] for number in numbers]
    return pl.DataFrame(
        [
            ("test", "1", number, str(number % 2), now + timedelta(milliseconds=number), f"line {number}", *place)
            for number, place in zip(numbers, places, strict=True)
        ],
        schema=pieces.SCHEMA,
        orient="row",
    )


@pytest.fixture(autouse=True)
def _looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer looks each time who listens, and not once a second."""
    monkeypatch.setattr(hot, "LOOK_S", 0.0)


def listened(store: HotStore) -> None:
    """Wait until somebody listens to what comes."""
    end = time.monotonic() + 60
    while not store._client.pubsub_channels():
        assert time.monotonic() < end
        time.sleep(0.02)


class _Served:
    """Where the program says that it serves."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        self.address = host, int(port)


def test_what_comes_into_the_hot_store_is_seen_at_once_and_the_totals_are_its_own(
    redis: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    token, known = Tokens(tmp_path / "logshed-tokens.db").create(["1"])
    store = HotStore.open(Live.model_validate({"redis": redis}))
    store.put(rows(0, 60), Origin("logshed:cursor:test"))
    process = subprocess.Popen(
        [sys.executable, "-m", "logshed", "live", "map", "--listen", "127.0.0.1:0"],
        cwd=tmp_path, env={**environment, "LOGSHED_LIVE_REDIS": redis}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        told = process.stdout.readline()
        url = re.search(r"http://\S+", told)
        assert url is not None, process.stderr.read()
        door = Opened(url[0], _Served(url[0]))
        assert door.json("/api/collections", token)["collections"] == [{"collection": "1", "hits": 30}]
        assert {
            one["country"]: one["hits"] for one in door.json("/api/countries?collection=1", token)["countries"]
        } == {
            "FR": 10,
            "US": 10,
        }
        assert door.json("/api/locations?collection=1", token)["locations"][0]["city"] in {"Paris", "New York"}
        lines = door.json("/api/lines?collection=1&last=2", token)["lines"]
        assert [one["line"] for one in lines] == ["line 57", "line 59"]
        assert door.ask("/api/lines?collection=0", token)[0] == 403
        with door.stream(token=token) as messages:
            assert next(messages)["event"] == "hello"
            listened(store)
            began = time.monotonic()
            store.put(rows(60, 6), Origin("logshed:cursor:test"))
            tick = next(one for one in messages if one["event"] == "tick")
            assert time.monotonic() - began < 10
            assert tick["data"]["by"].keys() == {"1"}
            assert tick["data"]["by"]["1"]["n"] == 3
            assert {tuple(spot[:3]) for spot in tick["data"]["by"]["1"]["p"]} == {
                ("FR", "IDF", "Paris"),
                ("US", "NY", "New York"),
                ("", "", ""),
            }
        assert Tokens(tmp_path / "logshed-tokens.db").list()[0].id == known.id
    finally:
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == "stopped; everything committed so far is whole\n"
        process.stdout.close()
        process.stderr.close()
        store.close()


def test_when_redis_dies_the_door_says_so_and_goes_on_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.5)
    with RedisServer(tmp_path / "redis") as server:
        store = server.hot()
        with opened(store.subscriber(), store) as door, door.stream() as messages:
            assert next(messages)["event"] == "hello"
            listened(store)
            store.put(rows(0, 6), Origin("logshed:cursor:test"))
            assert next(one for one in messages if one["event"] == "tick")["data"]["by"].keys() == {"0", "1"}
            server.kill()
            assert door.ask("/api/collections")[0] == 503
            server.start()
            deadline = time.monotonic() + 60
            number = 6
            while next(messages)["event"] != "tick":
                store.put(rows(number, 6), Origin("logshed:cursor:test"))
                number += 6
                assert time.monotonic() < deadline
            assert door.json("/api/collections")["hits"] == number
        store.close()
