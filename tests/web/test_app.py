"""The frame of the web application: headers, static files, errors, who is let in."""

from __future__ import annotations

import re
import socket
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.errors import UsageError
from logshed.web import rendering
from logshed.web.serving import WebServer
from logshed.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.api import Lake

get = partial(httpx.get, timeout=60)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("access") / "tokens.db")


@pytest.fixture(scope="module")
def guarded(sample_lake: Lake, tokens: Tokens) -> Iterator[str]:
    with web_server(sample_lake, tokens) as url:
        yield url


def test_every_answer_lets_the_browser_run_our_own_files_alone(served: str) -> None:
    for path in ("/", "/api/v1/openapi.json", "/no-such-page"):
        policy = get(served + path).headers["content-security-policy"]
        assert "script-src 'self'" in policy, path
        assert "unsafe" not in policy, path


def test_a_page_holds_no_inline_script_or_style(served: str) -> None:
    page = get(f"{served}/").text
    assert re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page) is None


def test_static_files_are_kept_for_good_under_the_address_that_the_page_names(served: str) -> None:
    page = get(f"{served}/").text
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert named
    for path in named:
        answer = get(served + path)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["cache-control"], path
    stale = re.sub(r"/static/\w+/", "/static/0123/", named[0])
    assert get(served + stale).headers["cache-control"] == "no-cache"


def test_static_files_are_packed_for_browsers_that_unpack(served: str) -> None:
    path = re.findall(r'src="(/static/[^"]+base[.]js)"', httpx.get(f"{served}/").text)[0]
    packed = httpx.get(served + path, headers={"Accept-Encoding": "gzip"})
    plain = httpx.get(served + path, headers={"Accept-Encoding": "identity"})
    assert (packed.headers.get("content-encoding"), plain.headers.get("content-encoding")) == ("gzip", None)
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "base", "vendor", ""])
def test_nothing_beside_the_static_files_is_given_away(served: str, path: str) -> None:
    assert get(f"{served}/static/x/{path}").status_code == 404


def test_names_of_files_that_are_not_there_are_neither_looked_up_nor_kept_in_mind(served: str) -> None:
    assert get(f"{served}/static/x/{'a' * 5_000}.js").status_code == 404
    assert rendering.static("a" * 5_000 + ".js") is None
    assert rendering._file.cache_info().currsize <= len(rendering._there())


def test_a_body_is_read_up_to_its_limit_alone_whoever_sends_it(guarded: str) -> None:
    """It is read before it is known who sends it, and memory of a server is not for strangers."""
    sent = []

    def parts() -> Iterator[bytes]:
        for part in range(64):
            sent.append(part)
            yield b" " * 1_000_000

    told = {"Content-Type": "application/json"}
    try:
        status = httpx.post(f"{guarded}/api/v1/users", content=parts(), headers=told, timeout=60).status_code
    except httpx.TransportError:
        status = 413  # it closed the connection, and the rest was not taken
    assert status == 413
    whole = httpx.post(f"{guarded}/api/v1/session", content=b" " * 5_000_000, headers=told, timeout=60)
    assert whole.status_code == 413


HALF = {
    "nothing": b"",
    "head": b"GET / HTTP/1.1\r\nHost: ",
    "body": b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 9\r\n\r\n{",
}


@pytest.mark.parametrize("said", HALF)
def test_who_leaves_a_request_half_said_is_cut_off(served: str, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr("logshed.doors.timely.SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", int(served.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(HALF[said])
        with suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_who_said_a_request_whole_has_time_for_its_answer(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logshed.doors.timely.SECONDS", 0.3)
    with httpx.Client(base_url=served, timeout=20) as client, client.stream("GET", "/api/v1/tail") as answer:
        assert next(answer.iter_lines()).startswith("retry")
        time.sleep(1)
        assert client.get("/api/v1/session").status_code == 200
        time.sleep(1)
        assert not answer.is_closed
        assert client.get("/api/v1/session").status_code == 200


def test_an_error_is_a_problem_for_programs_and_a_page_for_people(served: str) -> None:
    told = get(f"{served}/api/v1/nothing")
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["status"] == 404
    assert told.json()["detail"].startswith("there is nothing at /api/v1/nothing; check the address")
    shown = get(f"{served}/nothing", headers={"Accept": "text/html"})
    assert shown.status_code == 404
    assert "<h1>Not Found</h1>" in shown.text


def test_a_stranger_is_sent_to_sign_in_by_pages_and_refused_by_the_api(guarded: str) -> None:
    page = get(f"{guarded}/?since=24h")
    assert page.status_code == 303
    assert page.headers["location"] == "/sign-in?next=/%3Fsince%3D24h"
    assert get(f"{guarded}/api/v1/openapi.json").status_code == 401


def test_a_token_opens_what_its_verbs_say(guarded: str, tokens: Tokens) -> None:
    reads, _ = tokens.create(["web"])
    writes, _ = tokens.create(["web"], ["write"])
    answers = {
        name: get(f"{guarded}/api/v1/openapi.json", headers={"Authorization": f"Bearer {token}"}).status_code
        for name, token in (("reads", reads), ("writes", writes), ("wrong", reads[:-1] + "g"))
    }
    assert answers == {"reads": 200, "writes": 403, "wrong": 401}


def test_a_page_of_another_name_cannot_read_a_door_that_lets_everybody_in(served: str) -> None:
    port = served.rpartition(":")[2]
    assert get(f"{served}/", headers={"Host": f"evil.example:{port}"}).status_code == 421


def test_everybody_is_let_in_on_this_machine_alone(sample_lake: Lake) -> None:
    everywhere = sample_lake.settings.web.model_copy(update={"listen": "0.0.0.0:0"})
    site = Site(sample_lake, None, web=everywhere)
    with pytest.raises(UsageError, match="others than this machine reach it"):
        WebServer(site)
