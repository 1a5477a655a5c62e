"""A canary finds all of its lines that ``logshed receive`` has acknowledged, through every door, killed or not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.ports import free_port

from logshed.api import Lake
from logshed.pipeline.canary import Canary, Plan
from logshed.pipeline.sinks import Sink
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOORS = {
    "otlp+http": "http", "elastic+http": "http", "loki+http": "http", "splunk+http": "http", "raw+http": "http",
    "otlp+grpc": "grpc", "syslog+tcp": "syslog_tcp", "syslog+udp": "syslog_udp", "forward+tcp": "forward",
}  # fmt: skip

pytestmark = pytest.mark.soak


class Receiver:
    """``logshed receive`` in a process, with a door of each kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = {name: free_port() for name in set(DOORS.values())}
        tables = "".join(f'[receive.{name}]\nlisten = "127.0.0.1:{port}"\n' for name, port in self.ports.items())
        (folder / "logshed.toml").write_text(f'[receive]\nevery = "1s"\n{tables}')
        self.lake = Lake.open(folder / "logshed-lake", create=True, settings=Settings.load(folder, environ={}))
        self.start()

    def start(self) -> None:
        """Start it, and wait until its doors are open."""
        words = [sys.executable, "-m", "logshed", "receive"]
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(words, cwd=self._folder, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.ports["http"])) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError((self._folder / "log").read_text())

    def kill(self) -> None:
        """End it as a lost machine does."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it as it wants to be ended."""
        self._process.terminate()
        self._process.wait(60)

    def address(self, kind: str) -> str:
        """Where a canary sends to."""
        return f"{kind}://127.0.0.1:{self.ports[DOORS[kind]]}"


@contextmanager
def received(folder: Path) -> Iterator[Receiver]:
    """A receiver that runs."""
    receiver = Receiver(folder)
    try:
        yield receiver
    finally:
        receiver.stop()


def test_every_line_comes_once_and_in_order_through_every_door(tmp_path: Path) -> None:
    with received(tmp_path) as receiver:
        for kind in DOORS:
            plan = Plan(rate=200, seconds=3, wait=90, late=60)
            lake = receiver.lake
            report = Canary(Sink.of(receiver.address(kind)), plan, lake.query, lake.root).run(threading.Event())
            assert report.spotless, (kind, report.verdict)
            assert report.found.stored == 600, kind


@pytest.mark.parametrize("kind", ["otlp+http", "otlp+grpc", "raw+http", "elastic+http", "loki+http", "forward+tcp"])
def test_a_receiver_that_is_killed_loses_no_line_that_it_acknowledged(kind: str, tmp_path: Path) -> None:
    stop, states, reports = threading.Event(), [], []
    with received(tmp_path) as receiver:
        lake, plan = receiver.lake, Plan(rate=300, seconds=0, wait=120)
        canary = Canary(Sink.of(receiver.address(kind)), plan, lake.query, lake.root, states.append)
        running = threading.Thread(target=lambda: reports.append(canary.run(stop)))
        running.start()
        for kill in range(4):
            before, deadline = states[-1].taken if states else 0, time.monotonic() + 120
            while (not states or states[-1].taken < before + 300) and time.monotonic() < deadline:
                time.sleep(0.02)
            if kill < 3:
                receiver.kill()
                receiver.start()
        stop.set()
        running.join()
    (report,) = reports
    assert report.tries > 0
    assert report.taken >= 1200
    assert (report.ok, report.found.missing, report.sent - report.taken) == (True, 0, 0), report.verdict
    assert (report.found.duplicates, report.found.unpromised) == (0, 0), report.verdict


@pytest.mark.parametrize("kind", ["otlp+http", "otlp+grpc"])
def test_records_that_are_forwarded_to_another_lake_are_the_same_there(kind: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    source = Lake.open(here / "lake", create=True, settings=Settings.load(here, environ={}))
    line = '192.0.2.7 - - [18/Nov/2026:14:26:00 +0000] "GET /a/{} HTTP/1.1" 200 5 "-" "curl/8.5.0"\n'
    (here / "access.log").write_text("".join(line.format(number) for number in range(3000)))
    (here / "app.log").write_text("".join(f"2026-11-18T14:00:00Z ERROR failed {number}\n" for number in range(2000)))
    source.ingest([here / "access.log", here / "app.log"])
    there = tmp_path / "there"
    there.mkdir()
    with received(there) as receiver:
        assert source.forward(receiver.address(kind), since="all").records == 5000
    sql = (
        "SELECT timestamp, severity_text, coalesce(body, 'none') AS body, http_request_method, url_path, "
        "http_response_status_code, client_address, user_agent_original, attributes['log.record.uid'] AS uid "
        "FROM logs ORDER BY ALL"
    )
    own = sql.replace("attributes['log.record.uid']", "record_id")
    assert receiver.lake.query(sql).rows() == source.query(own).rows()
