"""Whoever probes a receiver learns whether it lives and takes records; what it counted only those who may."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection, RemoteDisconnected
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from tests.doors.pushing import until

from logshed.access import Tokens
from logshed.doors import health
from logshed.doors.health import Check, HealthDoor, room
from logshed.doors.receive_counts import Counts
from logshed.errors import DoorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@contextmanager
def served(checks: dict[str, Check] | None = None, listen: str = "127.0.0.1:0") -> Iterator[tuple[int, Counts]]:
    """The answers on an address of their own: the port, and what is counted."""
    counts = Counts()
    door = HealthDoor(counts, checks or {}, listen=listen)
    with running() as loop:
        asyncio.run_coroutine_threadsafe(door.start(), loop).result(10)
        try:
            yield door.address[1], counts
        finally:
            asyncio.run_coroutine_threadsafe(door.stop(), loop).result(10)


def ask(port: int, path: str, host: str = "127.0.0.1", method: str = "GET", **headers: str) -> tuple[int, Any, str]:
    """Status, body (of JSON what it holds), and what kind it is."""
    connection = HTTPConnection(host, port, timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body, kind = answer.read(), answer.getheader("content-type", "")
    connection.close()
    return answer.status, orjson.loads(body) if kind == "application/json" else body.decode(), kind


def lives(port: int) -> bool:
    """Whether it says that it lives, and does not close the connection instead."""
    try:
        return ask(port, "/healthz")[0] == 200
    except ConnectionError:
        return False


def test_a_process_that_answers_lives_whatever_else_is_wrong() -> None:
    with served({"spool": Check(lambda: "the spool is full")}) as (port, _):
        assert ask(port, "/healthz")[:2] == (200, {"status": "alive"})
        assert ask(port, "/readyz")[0] == 503
        assert ask(port, "/healthz", method="POST")[0] == 405
        assert ask(port, "/")[0] == 404


def test_readiness_tells_each_check_and_what_may_wait_only_degrades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)
    wrong = {"spool": "", "lake": ""}
    checks = {"spool": Check(lambda: wrong["spool"]), "lake": Check(lambda: wrong["lake"], needed=False)}
    well = {"ok": True, "text": ""}
    with served(checks) as (port, _):
        assert ask(port, "/readyz")[:2] == (200, {"status": "ready", "checks": {"spool": well, "lake": well}})
        wrong["lake"] = "cannot reach the lake"
        status, told, _ = ask(port, "/readyz")
        assert (status, told["status"]) == (200, "degraded")
        assert told["checks"]["lake"] == {"ok": False, "text": "cannot reach the lake"}
        wrong["spool"] = "it is full"
        status, told, _ = ask(port, "/readyz")
        assert (status, told["status"]) == (503, "not ready")


def test_a_check_that_hangs_or_breaks_is_not_well_and_hangs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.5)
    release, calls = threading.Event(), []

    def hangs() -> str:
        calls.append(1)
        release.wait(10)
        return ""

    def breaks() -> str:
        raise ZeroDivisionError

    with served({"disk": Check(hangs), "sums": Check(breaks)}) as (port, _):
        for _ in range(3):
            status, told, _ = ask(port, "/readyz")
            assert status == 503
        assert told["checks"]["disk"]["text"] == "no answer within 0.5 seconds"
        assert told["checks"]["sums"]["text"] == "it cannot be told: ZeroDivisionError"
        assert len(calls) == 1
        assert ask(port, "/healthz")[0] == 200
        release.set()
        until(lambda: ask(port, "/readyz")[1]["checks"]["disk"]["ok"])


def test_asking_often_looks_once_a_second() -> None:
    calls: list[int] = []

    def look() -> str:
        calls.append(1)
        return ""

    begun = time.monotonic()
    with served({"disk": Check(look)}) as (port, _):
        for _ in range(20):
            ask(port, "/readyz")
    assert 1 <= len(calls) <= 1 + (time.monotonic() - begun) / health.FRESH_SECONDS


def test_metrics_come_in_the_form_that_the_scraper_asks_for() -> None:
    with served() as (port, counts):
        counts.accepted("otlp", "web", 3, 99)
        status, text, kind = ask(port, "/metrics")
        assert (status, kind.partition(";")[0]) == (200, "text/plain")
        names = {family.name for family in families(text)}
        assert {"logshed_receive_records", "process_cpu_seconds", "logshed_build_info"} <= names
        _, text, kind = ask(port, "/metrics", Accept="application/openmetrics-text;version=1.0.0")
        assert kind.startswith("application/openmetrics-text")
        assert text.endswith("# EOF\n")


def test_a_page_of_a_stranger_and_who_comes_by_a_proxy_see_no_figures_on_loopback() -> None:
    with served({"lake": Check(lambda: "cannot reach /srv/lake")}) as (port, _):
        for headers in ({"Host": "evil.example"}, {"X_Forwarded_For": "203.0.113.9"}, {"Via": "1.1 proxy"}):
            assert ask(port, "/metrics", **headers)[0] == 401
            assert ask(port, "/readyz", **headers)[:2] == (503, {"status": "not ready"})
        assert ask(port, "/metrics", Host=f"localhost:{port}")[0] == 200


def test_beyond_this_machine_an_address_of_its_own_shows_them_to_all_who_reach_it() -> None:
    with served(listen="0.0.0.0:0") as (port, _):
        assert ask(port, "/metrics", Host="logs-0.logs:9464")[0] == 200


def test_on_a_door_of_records_only_a_token_for_all_collections_shows_them_elsewhere(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.db")
    made = {
        "all": tokens.create(["*"])[0],
        "admin": tokens.create(["*"], ["admin"])[0],
        "some": tokens.create(["web"])[0],
        "write": tokens.create(["*"], ["write"])[0],
        "gone": tokens.create(["*"], seconds=0.001)[0],
    }
    time.sleep(0.01)
    expected = {"all": 200, "admin": 200, "some": 401, "write": 401, "gone": 401}
    told = health.Health(Counts(), {}, tokens)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health, "Health", lambda *_, **__: told)
        with served() as (port, _):
            found = {
                name: ask(port, "/metrics", Host="logs.example", Authorization=f"Bearer {token}")[0]
                for name, token in made.items()
            }
            assert found == expected
            assert ask(port, "/metrics", Host="logs.example")[0] == 401
            tokens.path.chmod(0o644)
            assert ask(port, "/metrics", Host="logs.example", Authorization=f"Bearer {made['all']}")[0] == 401


def test_idle_connections_shut_out_no_probe_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CONNECTION_SECONDS", 0.5)
    with served() as (port, _):
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(health.CONNECTIONS + 5)]
        for one in idle:
            one.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        until(lambda: lives(port))
        for one in idle:
            one.close()


def test_an_address_in_use_is_told_and_a_stopped_door_is_closed() -> None:
    with served() as (port, _):
        door = HealthDoor(Counts(), {}, listen=f"127.0.0.1:{port}")
        with pytest.raises(DoorError, match="cannot listen on"):
            asyncio.run(door.start())
    with pytest.raises((ConnectionRefusedError, RemoteDisconnected)):
        ask(port, "/healthz")


def test_a_spool_is_well_while_it_can_be_written_and_has_room(tmp_path: Path) -> None:
    used = [0]
    look = room(tmp_path, lambda: used[0], 2**30)
    assert look() == ""
    assert list(tmp_path.iterdir()) == []
    used[0] = 2**30 - 2**20
    assert look() == "the spool is full: it takes 1,072,693,248 of 1,073,741,824 bytes"
    gone = room(tmp_path / "none", lambda: 0, 2**30)
    assert gone() == "the spool cannot be written: No such file or directory"
