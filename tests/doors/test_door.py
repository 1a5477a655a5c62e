"""The door answers by HTTP who may ask, and tells nobody else anything."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson
import pytest
import trustme
from tests.doors.conftest import Told, opened
from tests.doors.test_feed import event

from logshed.doors import feed, live_map, stream
from logshed.doors import serving as module
from logshed.doors.feed import Feed
from logshed.doors.serving import Certificate, Door, opened_socket
from logshed.errors import DoorError, LogshedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.doors.conftest import Opened

    from logshed.access import Tokens

PLACES = ("/api/countries", "/api/locations", "/api/lines", "/events")


class Kept:
    """A store with the collections shop and secret."""

    def __init__(self) -> None:
        self.fails = self.fault = False

    def known(self) -> list[tuple[str, int]]:
        """Two collections, and what a store may hold of odd names."""
        if self.fault:
            raise ZeroDivisionError
        if self.fails:
            raise LogshedError("cannot reach redis://user:hunter2@cache: refused; start it")
        return [("shop", 5), ("secret", 7), ("<b>", 1)]

    def lines(self, collection: str, *, last: int | None = None) -> Iterator[tuple[float, str]]:
        """As many as are asked for."""
        yield from [(number + 0.5, f"{collection} {number}") for number in range(500)][-(last or 0) :]

    def locations(self, collection: str, top: int) -> list[tuple[str, int]]:
        """The same for each."""
        assert collection in {"shop", "secret", "<b>"}
        return [("FR-IDF-Paris", 3), ("US--", 2), ("DE-BE-Berlin-Mitte", 1)][:top]

    def countries(self, collection: str | None) -> list[tuple[str, int]]:
        """Of all, or of one."""
        return [("FR", 11), ("US", 2)] if collection is None else [("FR", 3), ("US", 2)]


@pytest.fixture
def door(tokens: Tokens) -> Iterator[Opened]:
    with opened(Told(), Kept(), tokens) as found:
        yield found


def test_each_answer_is_what_the_store_holds(door: Opened, tokens: Tokens) -> None:
    token, _ = tokens.create(["*"])
    told = door.json("/api/collections", token)
    assert told == {
        "run": told["run"],
        "number": 0,
        "collections": [
            {"collection": "secret", "hits": 7},
            {"collection": "shop", "hits": 5},
            {"collection": "<b>", "hits": 1},
        ],
        "more": 0,
        "hits": 13,
    }
    assert door.json("/api/countries", token)["countries"] == [
        {"country": "FR", "hits": 11},
        {"country": "US", "hits": 2},
    ]
    assert door.json("/api/countries?collection=shop", token)["countries"][0] == {"country": "FR", "hits": 3}
    places = door.json("/api/locations?collection=shop&top=3", token)["locations"]
    assert [list(place.values()) for place in places] == [
        ["FR", "IDF", "Paris", 3],
        ["US", "", "", 2],
        ["DE", "BE", "Berlin-Mitte", 1],
    ]
    assert door.json("/api/locations?top=1", token)["locations"][0]["hits"] == 9
    lines = door.json("/api/lines?collection=shop&last=2", token)["lines"]
    assert lines == [{"at": 498.5, "line": "shop 498"}, {"at": 499.5, "line": "shop 499"}]


def test_a_token_sees_its_own_collections_alone(door: Opened, tokens: Tokens) -> None:
    token, _ = tokens.create(["sh*"])
    assert door.json("/api/collections", token)["collections"] == [{"collection": "shop", "hits": 5}]
    assert door.json("/api/countries", token)["countries"][0] == {"country": "FR", "hits": 3}
    assert door.json("/api/locations", token)["locations"][0]["hits"] == 3


@pytest.mark.parametrize("path", PLACES)
def test_a_collection_that_is_not_ones_own_is_refused_like_one_that_is_not_there(
    door: Opened, tokens: Tokens, path: str
) -> None:
    token, _ = tokens.create(["shop"])
    answers = [door.ask(f"{path}?collection={name}", token) for name in ("secret", "nothing", quote("<b>"))]
    told = [(status, {**headers, "date": ""}, body) for status, headers, body in answers]
    assert told[0] == told[1] == told[2]
    assert told[0][0] == 403
    assert told[0][2] == b'{"error":"not allowed"}'
    writer, _ = tokens.create(["secret"], ["write", "admin"])
    assert door.ask(f"{path}?collection=secret", writer)[0] == 403


@pytest.mark.parametrize("path", ["/api/collections", *PLACES])
def test_without_a_valid_token_nothing_is_told(door: Opened, tokens: Tokens, path: str) -> None:
    token, known = tokens.create(["*"])
    tokens.revoke(known.id)
    for given in ("", "nonsense", token):
        status, headers, body = door.ask(f"{path}?collection=shop", given)
        assert (status, headers["www-authenticate"], body) == (401, "Bearer", b'{"error":"a token is needed"}')
    status, headers, _ = door.ask("/")
    assert (status, headers["location"]) == (303, "/login")


def test_the_form_lets_in_by_a_cookie_that_scripts_cannot_read(door: Opened, tokens: Tokens) -> None:
    token, _ = tokens.create(["shop"])
    status, headers, body = door.ask("/login", method="POST", body=urlencode({"token": f" {token} "}))
    assert (status, headers["location"], body) == (303, "/", b"")
    cookie, *flags = [part.strip().lower() for part in headers["set-cookie"].split(";")]
    assert cookie == f"logshed_token={token}"
    assert {"httponly", "samesite=strict", "path=/"} <= set(flags)
    assert b'id="land"' in door.ask("/", Cookie=cookie)[2]
    assert door.ask("/api/countries?collection=shop", Cookie=cookie)[0] == 200
    assert door.ask("/api/countries?collection=secret", Cookie=cookie)[0] == 403
    status, headers, _ = door.ask("/logout", method="POST", Cookie=cookie)
    assert (status, headers["location"]) == (303, "/login")
    assert "max-age=0" in headers["set-cookie"].lower()


def test_the_form_refuses_what_is_no_token_and_what_other_sites_send(door: Opened, tokens: Tokens) -> None:
    token, _ = tokens.create(["shop"])
    status, headers, body = door.ask("/login", method="POST", body=urlencode({"token": "<script>alert(1)</script>"}))
    assert status == 401
    assert "set-cookie" not in headers
    assert b"This token opens nothing" in body
    assert b"alert(1)" not in body
    body_ = urlencode({"token": token})
    for origin in ("https://evil.example", "null"):
        assert door.ask("/login", method="POST", body=body_, Origin=origin)[0] == 403
    assert door.ask("/login", method="POST", body=body_, Origin=door.url.rstrip("/"))[0] == 303
    behind = door.url.rstrip("/").replace("http:", "https:")
    assert "; secure" in door.ask("/login", method="POST", body=body_, Origin=behind)[1]["set-cookie"].lower()
    assert door.ask("/login", method="POST", body="token=" + "x" * 100_000)[0] == 413


def test_every_answer_tells_the_browser_to_run_nothing_but_our_files(door: Opened, tokens: Tokens) -> None:
    token, _ = tokens.create(["shop"])
    for path in ("/", "/login", "/static/map.js", "/static/none", "/api/collections", "/api/lines", "/nowhere"):
        _, headers, body = door.ask(path, token)
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == ("no-cache" if path == "/static/map.js" else "no-store")
        assert "server" not in headers
        assert b"<script>" not in body
        assert b"style=" not in body
        assert b"://" not in body or path.startswith("/static/")


def test_a_file_is_sent_once(door: Opened) -> None:
    _, headers, body = door.ask("/static/world.json")
    assert orjson.loads(body)["scale"] == 100
    assert door.ask("/static/world.json", **{"If-None-Match": headers["etag"]})[::2] == (304, b"")
    for name in ("..%2f__init__.py", "%2e%2e/render.py", "page.html", ""):
        assert door.ask(f"/static/{name}")[0] == 404


def test_what_is_asked_wrongly_is_told(door: Opened, tokens: Tokens) -> None:
    token, _ = tokens.create(["*"])
    for query in ("last=0", "last=-1", "last=1001", "last=x", "last=%D9%A3", "last=" + "9" * 5000):
        assert door.ask(f"/api/lines?collection=shop&{query}", token)[0] == 422, query
    assert door.ask("/api/lines", token)[2] == b'{"error":"name a collection"}'
    assert door.ask(f"/api/countries?collection={'x' * 2000}", token)[0] == 422
    assert door.ask("/api/countries", token, method="POST", body="x")[0] == 405


def test_a_store_that_fails_is_told_without_its_address(tokens: Tokens, caplog: pytest.LogCaptureFixture) -> None:
    store = Kept()
    token, _ = tokens.create(["*"])
    with opened(Told(), store, tokens) as door:
        store.fails = True
        status, headers, body = door.ask("/api/collections", token)
        assert (status, headers["retry-after"], body) == (503, "5", b'{"error":"the store does not answer"}')
        store.fault = True
        status, headers, body = door.ask("/api/collections", token)
        assert (status, body) == (503, b'{"error":"the store does not answer"}')
        assert "default-src 'none'" in headers["content-security-policy"]
        store.fails = store.fault = False
        assert door.json("/api/collections", token)["more"] == 0
    assert "start it" in caplog.text


def test_events_come_within_half_a_second_of_their_collection_alone(tokens: Tokens) -> None:
    told = Told()
    token, _ = tokens.create(["shop", "blog"])
    with opened(told, None, tokens) as door, door.stream("/events?collection=shop", token) as one:
        with door.stream("/events", token) as both:
            assert next(one)["event"] == next(both)["event"] == "hello"
            took: list[float] = []
            while min(took, default=1.0) > 0.5 and len(took) < 20:  # the quickest counts: others use the machine, too
                began = time.monotonic()
                told.tell([event(1, "shop"), event(2, "blog"), event(3, "secret"), event(4, "shop")])
                ticks = [next(one), next(both)]
                took.append(time.monotonic() - began)
            assert min(took) <= 0.5
        assert ticks[0]["data"]["by"].keys() == {"shop"}
        assert ticks[0]["data"]["by"]["shop"]["n"] == 2
        assert ticks[1]["data"]["by"].keys() == {"shop", "blog"}
        assert "secret" not in str(ticks)
        assert door.json("/api/collections", token)["collections"][0] == {"collection": "shop", "hits": 2 * len(took)}


def test_one_who_comes_again_gets_what_was_missed(tokens: Tokens) -> None:
    told = Told()
    token, _ = tokens.create(["*"])
    with opened(told, None, tokens) as door:
        with door.stream(token=token) as messages:
            next(messages)
            told.tell([event(1)])
            last = next(messages)["id"]
        for number in range(2, 5):
            told.tell([event(number)])
            _until(lambda: door.door.feed.number == number)  # noqa: B023 - called here
        with door.stream(token=token, last=last) as messages:
            assert next(messages)["event"] == "hello"
            lines = [next(messages)["data"]["by"]["shop"]["l"] for _ in range(3)]
        assert lines == [[[2.0, "line 2"]], [[3.0, "line 3"]], [[4.0, "line 4"]]]
        with door.stream(token=token, last="other-1") as messages:
            assert [next(messages)["event"] for _ in range(2)] == ["hello", "gap"]


def test_a_token_that_is_revoked_ends_its_streams(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.2)
    token, known = tokens.create(["*"])
    with opened(Told(), None, tokens) as door, door.stream(token=token) as messages:
        assert [next(messages)["event"] for _ in range(3)] == ["hello", "beat", "beat"]
        tokens.revoke(known.id)
        rest = [message["event"] for message in messages]
        assert rest[-1] == "out"
        _until(lambda: door.door.feed.watching == 0)


def test_the_state_of_the_source_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.1)
    told = Told()
    with opened(told) as door, door.stream() as messages:
        assert next(messages)["data"]["state"] == "live"
        told.tell(None)
        assert any(message["data"]["state"] == "ended" for message, _ in zip(messages, range(600), strict=False))


def test_one_who_reads_nothing_is_dropped_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "TICK_SECONDS", 0.01)
    told = Told()
    with opened(told) as door, door.stream() as messages:
        next(messages)
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        stuck.connect(door.door.address)
        stuck.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        _until(lambda: door.door.feed.watching == 2)
        seen = 0
        began = time.monotonic()
        while door.door.feed.watching == 2:
            told.tell([event(number, city=f"{number} {'x' * 70}") for number in range(400)])
            seen += sum(part["n"] for part in next(messages)["data"].get("by", {}).values())
            assert time.monotonic() - began < 60
        assert seen > 400
        told.tell([event(1)])
        assert next(messages)["event"] == "tick"
        stuck.settimeout(10)
        while stuck.recv(2**20):
            pass
        stuck.close()


def test_no_more_than_some_may_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_map, "MOST_STREAMS", 2)
    with opened(Told()) as door:
        with door.stream() as one, door.stream() as two:
            next(one), next(two)
            assert door.ask("/events")[0] == 503
        _until(lambda: door.door.feed.watching == 0)
        with door.stream() as again:
            assert next(again)["event"] == "hello"


def test_a_door_without_tokens_answers_to_this_machine_by_its_own_name_alone() -> None:
    with opened(Told()) as door:
        port = door.door.address[1]
        for host in (f"127.0.0.1:{port}", "localhost", f"[::1]:{port}"):
            assert door.ask("/api/collections", Host=host)[0] == 200
        for host in ("evil.example", f"127.0.0.1.evil.example:{port}", "", "localhost@evil.example:1"):
            for path in ("/", "/api/collections", "/events"):
                assert door.ask(path, Host=host)[0] == 421


def test_a_door_that_others_reach_needs_tokens() -> None:
    for listen in ("0.0.0.0:0", "[::]:0"):
        with pytest.raises(UsageError, match="others than this machine reach it; leave out --no-tokens"):
            Door(Told(), None, None, listen=listen)
    opened_socket("0.0.0.0:0", anyone=False).close()
    opened_socket("localhost:0", anyone=True).close()


def test_an_address_that_cannot_be_used_is_told() -> None:
    for listen in ("8610", "127.0.0.1:", "127.0.0.1:99999", ":80", "127.0.0.1:x"):
        with pytest.raises(UsageError, match="that is no address"):
            opened_socket(listen, anyone=True)
    taken = opened_socket("127.0.0.1:0", anyone=True)
    with taken, pytest.raises(DoorError, match="Address already in use; choose another with --listen"):
        opened_socket(f"127.0.0.1:{taken.getsockname()[1]}", anyone=True)
    with pytest.raises(DoorError, match="choose another with --listen"):
        opened_socket("no-such-host.invalid:80", anyone=False)


def test_with_a_certificate_it_speaks_https_and_the_cookie_is_secure(tokens: Tokens, tmp_path: Path) -> None:
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    files = Certificate(tmp_path / "door.pem", tmp_path / "door.key")
    made.cert_chain_pems[0].write_to_path(str(files.file))
    made.private_key_pem.write_to_path(str(files.key))
    token, _ = tokens.create(["shop"])
    with opened(Told(), None, tokens, files) as door:
        assert door.url.startswith("https://")
        door.trusted = authority
        assert door.json("/api/collections", token)["more"] == 0
        _, headers, _ = door.ask("/login", method="POST", body=urlencode({"token": token}))
        assert "; secure" in headers["set-cookie"].lower()
    with pytest.raises(DoorError, match="cannot use the certificate"):
        Door(Told(), None, tokens, listen="127.0.0.1:0", certificate=Certificate(files.key, files.key))


def test_closing_sends_away_those_who_watch() -> None:
    with opened(Told()) as door, door.stream() as messages:
        next(messages)
        began = time.monotonic()
        door.door.close()
        assert list(messages) == []
        assert time.monotonic() - began < module.GRACE_SECONDS


def test_a_fault_of_the_feed_ends_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Feed, "flow", broken)
    with pytest.raises(ZeroDivisionError):
        Door(Told(), None, None, listen="127.0.0.1:0").run()


def _until(there: Any) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end, "it did not happen within a minute"
        time.sleep(0.01)
