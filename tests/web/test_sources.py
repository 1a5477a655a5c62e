"""Collections and sources: what there is and what arrives, for those who may see it; a line explained; containers."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect
from tests.web_server import web_server

from logshed.access import People, Tokens
from logshed.api import Lake
from logshed.pipeline.canary_book import Book, Sent
from logshed.pipeline.standing import Standing
from logshed.settings import Settings
from logshed.spool.dead import DEAD, DeadLetters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page
    from tests.servers import Engine

HOSTILE = '\u202e<img src=x onerror="document.title=1"> \x1b[31m'


@pytest.fixture(scope="module")
def odd_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with the collections ``shop`` (with rejects, one of them hostile) and ``till``."""
    folder = tmp_path_factory.mktemp("odd")
    line = '198.51.100.{0} - - [26/Nov/2026:10:00:{0:02d} +0000] "GET /{0} HTTP/1.1" {1} 5 "-" "curl/8"\n'
    odd = f'198.51.100.9 - - [26/Nov/2026:10:09:00 +0000] "GET /{HOSTILE}\n'
    (folder / "shop.log").write_text("".join(line.format(one, 200) for one in range(50)) + odd)
    (folder / "till.jsonl").write_text('{"ts": "2026-11-26T10:00:00Z", "level": "ERROR", "msg": "no paper"}\n')
    settings = Settings.load(folder, environ={"LOGSHED_LIVE_REDIS": "redis://127.0.0.1:1/0"})
    lake = Lake.open(folder / "logshed-lake", create=True, settings=settings)
    lake.ingest([folder / "shop.log"], collection="shop", format="apache_combined")
    lake.ingest([folder / "till.jsonl"], collection="till")
    return lake


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("access") / "tokens.db")


@pytest.fixture(scope="module")
def guarded(odd_lake: Lake, tokens: Tokens, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    people = People(tmp_path_factory.mktemp("people") / "accounts.db")
    people.accounts.add("Olga", "owner", ["shop*"])
    people.accounts.add("carl", "owner", ["*"])
    people.accounts.add("gone", "owner", ["shop"])
    people.accounts.change("gone", disabled=True)
    people.accounts.add("vera", "viewer", ["shop"])
    with web_server(odd_lake, tokens, people) as url:
        yield url


@pytest.fixture(scope="module")
def local(odd_lake: Lake) -> Iterator[str]:
    with web_server(odd_lake, web=odd_lake.settings.web.given(receivers=("http://127.0.0.1:1",))) as url:
        yield url


def _asked(url: str, path: str, token: str, **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    method = "POST" if body else "GET"
    return httpx.request(method, f"{url}/api/v1{path}", headers=headers, json=body or None, timeout=60)


def test_a_reader_sees_the_figures_of_their_own_collections_alone(guarded: str, tokens: Tokens) -> None:
    token, _ = tokens.create(["shop"])
    listed = _asked(guarded, "/collections", token).json()["items"]
    assert [(one["collection"], one["records"], one["hits"], one["rejected"]) for one in listed] == [
        ("shop", 51, 50, 1)
    ]
    assert listed[0]["bytes"]["silver"] > 0
    assert listed[0]["days"]["silver"] == 90
    assert listed[0]["owners"] == ["carl", "Olga"]
    one = _asked(guarded, "/collections/shop", token).json()
    assert sum(bar["records"] for bar in one["histogram"]) == 50
    assert one["last"] == "2026-11-26T10:00:49Z"
    assert one["top"]["formats"][0]["name"] == "apache_combined"
    assert one["live"] is None
    for path in (
        "/collections/till",
        "/collections/nowhere",
        "/sources?collection=till",
        "/sources/gaps?collection=till",
    ):
        assert _asked(guarded, path, token).status_code == 403, path
    assert {row["collection"] for row in _asked(guarded, "/sources?since=all", token).json()["items"]} == {"shop"}
    assert {row["collection"] for row in _asked(guarded, "/sources/gaps?since=all", token).json()["items"]} == {"shop"}
    for path in ("/sources/ledger", "/sources/canaries", "/sources/receivers"):
        assert _asked(guarded, path, token).status_code == 403
    till, _ = tokens.create(["till"])
    assert _asked(guarded, "/sources/rejects", till).json()["items"] == []
    every, _ = tokens.create(["*"])
    assert _asked(guarded, "/collections/nowhere", every).status_code == 404
    assert _asked(guarded, "/sources/ledger", every).json()["total"]["read"] == 52


def test_sources_come_in_pages_that_a_cursor_joins(guarded: str, tokens: Tokens) -> None:
    token, _ = tokens.create(["*"])
    first = _asked(guarded, "/sources?since=all&limit=1", token).json()
    second = _asked(guarded, f"/sources?since=all&limit=1&cursor={first['next']}", token).json()
    assert second["next"] is None
    names = [row["source"].rpartition("/")[2] for row in first["items"] + second["items"]]
    assert sorted(names) == ["shop.log", "till.jsonl"]
    for cursor in ("x", "YXQgLTE", "YXQgMQ===="):
        assert _asked(guarded, f"/sources?cursor={cursor}", token).status_code in {200, 422}
    assert _asked(guarded, "/sources?cursor=x", token).status_code == 422


def test_runs_of_the_canary_are_told_with_what_of_them_is_there(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    book = Book("abcdefgh", "raw+http://127.0.0.1:1", 1_795_687_200_000_000)
    book.streams.append(Sent())
    book.streams[0].add(np.zeros(5, np.int64))
    book.streams[0].take(0, 4)
    book.end(lake.root)
    line = "2026-11-26T10:00:0{}.123456Z INFO canary run abcdefgh stream 0 line {}\n"
    (tmp_path / "canary.log").write_text("".join(line.format(one, one) for one in (0, 1, 2, 2)))
    lake.ingest([tmp_path / "canary.log"])
    (told,) = lake.canaries()
    counts = {key: told[key] for key in ("sent", "acknowledged", "stored", "twice", "missing", "ended")}
    assert counts == {"sent": 5, "acknowledged": 4, "stored": 3, "twice": 1, "missing": 1, "ended": True}


def test_a_reject_is_told_with_its_reason_and_its_line(guarded: str, tokens: Tokens) -> None:
    token, _ = tokens.create(["shop"])
    (row,) = _asked(guarded, "/sources/rejects", token).json()["items"]
    assert (row["records"], row["format"]) == (1, "apache_combined")
    assert "<img src=x" in row["samples"][0]


@pytest.mark.parametrize(
    ("text", "form", "field", "value"),
    [
        ('{"level": "WARN", "msg": "low paper", "till": 4}', "json", "body", "low paper"),
        ("2026-11-26 10:00:00,000 ERROR [main] a.B - bad\n\tat a.B.c(B.java:1)", "java", "severity_text", "ERROR"),
    ],
)
def test_a_line_is_explained_by_the_format_that_reads_it(
    guarded: str, tokens: Tokens, text: str, form: str, field: str, value: str
) -> None:
    token, _ = tokens.create(["shop"])
    told = _asked(guarded, "/formats/explain", token, text=text).json()
    assert told["winner"] == form
    assert len(told["records"]) == 1
    assert told["records"][0]["fields"][field] == value


def test_what_redaction_takes_is_not_shown_back_and_what_is_no_line_is_refused(guarded: str, tokens: Tokens) -> None:
    token, _ = tokens.create(["shop"])
    told = _asked(guarded, "/formats/explain", token, text='{"level": "INFO", "msg": "mail to anna@example.org"}')
    assert told.json()["redacted"] == 1
    assert "anna@" not in told.text
    assert _asked(guarded, "/formats/explain", token, text=" \n").status_code == 422
    assert _asked(guarded, "/formats/explain", token, text="x", format="no_such").status_code == 422
    assert _asked(guarded, "/formats/apache_combined", token).json()["samples"]
    assert _asked(guarded, "/formats/no_such", token).status_code == 404


def _stands(page: Page, local: str, lake: Lake) -> None:
    """One that runs, one that has told nothing for long, one elsewhere that does not answer, and dead letters."""
    spool = lake.settings.spool
    spool.mkdir()
    told = Standing(spool, "receive", str)
    told.tell({"records": 400.0, "bytes": 4e6}, {"backlog_bytes": 0, "lag_seconds": None}, f"waits for {HOSTILE}")
    Standing(lake.root, "ingest --follow", str, name="follow-1").tell({"records": 7.0}, {"files": 2})
    os.utime(lake.root / "running" / "follow-1.json", (time.time() - 100, time.time() - 100))
    DeadLetters(spool / DEAD).put(protocol="syslog", reason="it is no syslog", data=b"x")
    page.goto(f"{local}/sources/receivers")
    expect(page.locator("#receivers .badge")).to_have_text(["running", "silent", "unreachable"])
    expect(page.locator("#receivers .figure").first).to_have_text("400")
    expect(page.locator("#receivers .warning").first).to_contain_text("1 dead letter waits")
    told.end()
    expect(page.locator("#receivers .badge")).to_have_text(["silent", "unreachable"])


def test_the_pages_show_what_there_is_and_hostile_lines_are_text(local: str, odd_lake: Lake, browser: Browser) -> None:
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{local}/collections")
    page.get_by_role("link", name="shop").click()
    expect(page.locator(".tile .figure").first).to_have_text("51")
    expect(page.locator(".histogram-bars rect.others")).to_have_count(50)
    page.goto(f"{local}/sources")
    expect(page.locator("#sources tbody tr")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("till")
    expect(page.locator("#sources tbody tr")).to_have_count(1)
    page.goto(f"{local}/sources/rejects")
    expect(page.locator("#rejects .sample")).to_contain_text('␣202e<img src=x onerror="document.title=1"> ␛[31m')
    page.get_by_role("link", name="Explain the newest").click()
    expect(page.locator("#explained h2").first).to_be_visible()
    page.fill("#explain-text", '{"level": "INFO", "msg": "x"}')
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.locator("#explained h2").first).to_have_text("json")
    page.goto(f"{local}/sources/ledger")
    expect(page.locator(".tile .figure").nth(1)).to_have_text("52")
    _stands(page, local, odd_lake)
    page.goto(f"{local}/sources/running")
    expect(page.locator("#no-places")).to_contain_text("[[collect]]")
    assert wrong == []
    assert page.locator("main img").count() == 0
    page.close()


def test_containers_are_asked_where_the_settings_say_and_for_those_who_see_their_collection(
    tmp_path: Path, tokens: Tokens, engine: Engine
) -> None:
    engine.clear()
    try:
        engine.run("shop", "echo 'INFO up for anna@example.org'; echo 'ERROR out of memory'; sleep 100")
        place = f'[[collect]]\ndocker = "{engine.socket}"\ncollection = "shop"\n'
        (tmp_path / "logshed.toml").write_text(place)
        settings = Settings.load(tmp_path, environ={})
        lake = Lake.open(tmp_path / "logshed-lake", create=True, settings=settings)
        every, _ = tokens.create(["*"], ["read", "admin"])
        reader, _ = tokens.create(["*"])
        with web_server(lake, tokens) as url:
            assert _asked(url, "/collect/containers", reader).status_code == 403
            (row,) = _asked(url, "/collect/containers", every).json()["items"]
            assert (row["container"], row["state"]) == ("shop", "running")
            entries = _asked(url, "/collect/logs?container=shop", every).json()["containers"]["shop"]
            assert [one["level"] for one in entries] == ["INFO", "ERROR"]
            assert "anna@" not in str(entries)
            assert len(_asked(url, "/collect/errors", every).json()["containers"]["shop"]) == 1
            summed = _asked(url, "/collect/summary", every).json()
            assert (summed["total_error_entries"], len(summed["critical_issues"])) == (1, 1)
            assert _asked(url, "/collect/health", every).json()["healthy"] is True
            saved = _asked(url, "/collect/save", every, hours=1)
            assert "production_logs_" in saved.headers["content-disposition"]
            assert saved.json()["containers"]["shop"] == entries
            assert _asked(url, "/collect/logs?container=shop;id", every).status_code == 422
            assert _asked(url, "/collect/logs?container=none", every).status_code == 502
            elsewhere = _asked(url, "/collect/containers?host=unix:///nowhere", every).json()
            assert [one["container"] for one in elsewhere["items"]] == ["shop"]
        noted = (lake.root / "audit.jsonl").read_text()
        assert noted.count('"collect save"') == 1
    finally:
        engine.clear()
