"""The live pages and their API over a real Redis: what comes is seen at once, by those who may see it, and replayed."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import polars as pl
import pytest
from playwright.sync_api import expect
from tests.redis_server import RedisServer
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.doors import stream
from logshed.live import pieces
from logshed.live.hot import HotStore, Origin
from logshed.live_settings import Live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from logshed.api import Lake

PLACES = [("FR", "IDF", "Paris", 48.86, 2.35), ("US", "NY", "New York", 40.71, -74.01)]
OFFSETS = count()
LISTENS_S = 2.5
"""So long a server is given to listen to the hot store; nothing tells a reader when it does."""
HOSTILE = '\x1b[31m\u202e<img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("live") / "redis") as server:
        yield server


@pytest.fixture(scope="module")
def store(redis: RedisServer) -> Iterator[HotStore]:
    """A hot store with 40 lines of the collections ``web`` and ``till`` in turns."""
    opened = redis.hot()
    _put(opened, 0, [("web", "till")[number % 2] for number in range(40)])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def live_lake(sample_lake: Lake, redis: RedisServer) -> Lake:
    return type(sample_lake)(sample_lake.root, sample_lake.settings.model_copy(update={"live": redis.live()}))


@pytest.fixture(scope="module")
def served_live(live_lake: Lake) -> Iterator[str]:
    with web_server(live_lake) as url:
        yield url


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("access") / "tokens.db")


@pytest.fixture(scope="module")
def guarded(live_lake: Lake, tokens: Tokens) -> Iterator[str]:
    with web_server(live_lake, tokens) as url:
        yield url


def _put(store: HotStore, first: int, collections: list[str], text: str = "line {}") -> None:
    now = datetime.now(UTC)
    rows = [
        ("test", "1", next(OFFSETS), name, now + timedelta(milliseconds=at), text.format(first + at), *PLACES[at % 2])
        for at, name in enumerate(collections)
    ]
    store.put(pl.DataFrame(rows, schema=pieces.SCHEMA, orient="row"), Origin("logshed:cursor:test"))


@contextmanager
def _stream(url: str, token: str = "") -> Iterator[Iterator[tuple[str, Any]]]:
    """The events of a stream, each with what it says."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
        assert answer.status_code == 200

        def events() -> Iterator[tuple[str, Any]]:
            name = ""
            for line in answer.iter_lines():
                key, _, value = line.partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    yield name, orjson.loads(value)

        yield events()


def _ticks(events: Iterator[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    return (told["by"] for name, told in events if name == "tick")


def test_the_hot_store_is_told_as_far_as_a_token_sees_it(guarded: str, tokens: Tokens, store: HotStore) -> None:
    token, _ = tokens.create(["till"])

    def asked(path: str) -> httpx.Response:
        return httpx.get(f"{guarded}/api/v1/live{path}", headers={"Authorization": f"Bearer {token}"}, timeout=60)

    assert asked("").json()["kept"] == {"till": 20}
    assert asked("/collections").json()["collections"] == [{"collection": "till", "hits": 20}]
    assert asked("/countries").json()["countries"] == [{"country": "US", "hits": 20}]
    assert [one["line"] for one in asked("/lines?collection=till&last=2").json()["lines"]] == ["line 37", "line 39"]
    for path in (
        "/lines?collection=web",
        "/countries?collection=web",
        "/locations?collection=none",
        "/tail?collection=web",
    ):
        assert asked(path).status_code == 403, path
    with _stream(f"{guarded}/api/v1/live/tail", token) as events:
        assert next(events)[0] == "hello"
        threading.Timer(LISTENS_S, _put, (store, 40, ["web", "till"])).start()
        assert next(_ticks(events)).keys() == {"till"}


def test_a_tail_tells_every_line_while_a_map_tells_where_they_are_from(served_live: str, store: HotStore) -> None:
    with (
        _stream(f"{served_live}/api/v1/live/tail?collection=web") as lines,
        _stream(f"{served_live}/api/v1/live/events?collection=web") as places,
    ):
        assert next(lines)[0] == next(places)[0] == "hello"
        threading.Timer(LISTENS_S, _put, (store, 100, ["web"] * 30)).start()
        tick = next(_ticks(lines))["web"]
        assert [line for _, line in tick["l"]] == [f"line {number}" for number in range(100, 130)]
        assert tick["n"] == 30
        assert next(_ticks(places))["web"]["c"] == {"FR": 15, "US": 15}


def test_a_replay_shows_the_lake_s_records_and_is_its_own_person_s(
    guarded: str, tokens: Tokens, live_lake: Lake
) -> None:
    (own, _), (other, _) = tokens.create(["app"]), tokens.create(["*"])
    began = httpx.post(
        f"{guarded}/api/v1/live/replays", json={"since": "all", "duration": "1s"}, headers=_bearer(own), timeout=60
    )
    assert began.status_code == 201, began.text
    path = f"{guarded}/api/v1/live"
    replay = began.json()["id"]
    assert httpx.get(f"{path}/replays/{replay}", headers=_bearer(other), timeout=60).status_code == 404
    assert httpx.get(f"{path}/events?replay={replay}", headers=_bearer(other), timeout=60).status_code == 404
    hits = 0
    with _stream(f"{path}/events?replay={replay}", own) as events:
        for name, told in events:
            if name == "tick":
                assert told["by"].keys() == {"app"}
                hits += told["by"]["app"]["n"]
            elif told["state"] == "ended":
                break
    assert hits == live_lake.query("SELECT count(*) FROM logs WHERE collection = 'app'").rows()[0][0]
    assert httpx.delete(f"{path}/replays/{replay}", headers=_bearer(own), timeout=60).status_code == 204
    assert httpx.get(f"{path}/replays/{replay}", headers=_bearer(own), timeout=60).status_code == 404
    foreign = {"since": "all", "duration": "1s", "collections": ["web"]}
    assert httpx.post(f"{path}/replays", json=foreign, headers=_bearer(own), timeout=60).status_code == 403


def test_who_may_no_longer_see_it_is_sent_away(
    guarded: str, tokens: Tokens, store: HotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.3)
    del store
    token, made = tokens.create(["web"])
    with _stream(f"{guarded}/api/v1/live/tail", token) as events:
        assert [next(events)[0], next(events)[0]] == ["hello", "beat"]
        tokens.revoke(made.id)
        assert next(name for name, _ in events if name != "beat") == "out"
        assert next(events, None) is None


@pytest.mark.parametrize("readers", [40, pytest.param(500, marks=pytest.mark.soak)])
def test_each_of_many_who_watch_is_told_of_every_line(served_live: str, store: HotStore, readers: int) -> None:
    address = served_live.removeprefix("http://").split(":")

    async def watch(ready: asyncio.Semaphore) -> list[str]:
        reader, writer = await asyncio.open_connection(address[0], int(address[1]), limit=2**22)
        host = f"Host: {':'.join(address)}"
        writer.write(f"GET /api/v1/live/tail?collection=many HTTP/1.1\r\n{host}\r\n\r\n".encode())
        seen: list[str] = []
        while len(seen) < 50 and (line := await reader.readline()):
            if line == b"event: hello\n":
                ready.release()
            if line.startswith(b'data: {"by"'):
                seen += [text for _, text in orjson.loads(line[6:])["by"]["many"]["l"]]
        writer.close()
        return seen

    async def run() -> list[list[str]]:
        ready = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(watch(ready)) for _ in range(readers)]
        for _ in tasks:
            await ready.acquire()
        await asyncio.sleep(LISTENS_S)
        for first in range(1_000, 1_050, 10):
            await asyncio.to_thread(_put, store, first, ["many"] * 10)
        return await asyncio.wait_for(asyncio.gather(*tasks), 60)

    assert asyncio.run(run()) == [[f"line {number}" for number in range(1_000, 1_050)]] * readers


def test_a_replay_without_a_speed_is_refused_with_what_to_do(served_live: str) -> None:
    told = httpx.post(f"{served_live}/api/v1/live/replays", json={"since": "all"})
    assert told.status_code == 422
    assert "--duration 5m" in told.json()["detail"]


def test_lines_come_into_the_page_are_paused_and_are_text_alone(
    served_live: str, store: HotStore, browser: Browser
) -> None:
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{served_live}/live?collection=web")
    expect(page.locator("#tail li").last).to_contain_text("line")
    expect(page.locator("#state")).to_have_text("Live")
    page.wait_for_timeout(1000 * LISTENS_S)
    _put(store, 200, ["web"], HOSTILE)
    expect(page.locator("#tail li").last).to_contain_text('␛[31m␣202e<img src=x onerror="document.title=1">')
    page.keyboard.press("p")
    _put(store, 210, ["web"] * 3)
    expect(page.locator("#tail-waits")).to_have_text("3 lines wait")
    page.locator("#tail-pause").click()
    expect(page.locator("#tail li").last).to_contain_text("line 212")
    page.keyboard.press("/")
    page.keyboard.type("line 21")
    expect(page.locator("#tail li")).to_have_count(3)
    expect(page.locator("#tail mark").first).to_have_text("line 21")
    page.get_by_role("button", name="till").click()
    expect(page).to_have_url(f"{served_live}/live?collection=till")
    assert wrong == []
    assert page.locator("#tail img").count() == 0
    page.close()


def test_the_map_counts_what_comes_and_replays_the_lake(served_live: str, store: HotStore, browser: Browser) -> None:
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{served_live}/live/map?collection=web")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#total")).not_to_have_text("0")
    expect(page.locator("#countries button").first).to_be_visible()
    before = int(page.locator("#total").inner_text().replace(",", ""))
    _put(store, 300, ["web"] * 7)
    expect(page.locator("#total")).to_have_text(str(before + 7))
    page.locator("#replay-open").click()
    page.locator("#replay-duration").select_option("1m")
    page.locator("#replay-start").select_option("75%")
    page.locator("#replay-form button").click()
    page.wait_for_url("**/live/map?replay=*")
    expect(page.locator("#replay-told")).to_contain_text("times as quick")
    page.locator("#replay-pause").click()
    expect(page.locator("#replay-pause")).to_have_attribute("aria-pressed", "true")
    page.locator("#replay-end").click()
    page.wait_for_url(f"{served_live}/live/map")
    assert wrong == []
    page.close()


def test_without_a_redis_the_pages_say_what_to_do(live_lake: Lake, browser: Browser) -> None:
    nowhere = live_lake.settings.model_copy(update={"live": Live.model_validate({"redis": "redis://127.0.0.1:1/0"})})
    page = browser.new_page()
    with web_server(type(live_lake)(live_lake.root, nowhere)) as url:
        for path in ("/live", "/live/map"):
            page.goto(url + path)
            expect(page.locator("#without")).to_contain_text("[live]")
            expect(page.locator("#without-why")).to_contain_text("cannot")
        page.locator("#without-replay").click()
        expect(page.locator("#replay-dialog")).to_be_visible()
        page.close()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
