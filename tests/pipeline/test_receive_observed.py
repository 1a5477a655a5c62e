"""A receiver tells how it stands, is traced from a client's request into the lake, and holds tokens to rates."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from tests.traces import attributes, collecting

from logshed.access import Tokens
from logshed.pipeline import standings
from logshed.pipeline.receive import Receive, _Running
from logshed.settings import Settings
from logshed.spool import Piece, Spool
from logshed.web.receivers import Receivers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.traces import Collector

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SETTINGS = """
[receive]
every = "1s"
metrics = "127.0.0.1:0"
traces = "{traces}"
[receive.http]
listen = "127.0.0.1:0"
tokens = true
[receive.syslog_udp]
listen = "127.0.0.1:0"
"""


@dataclass
class Receiver:
    """One that runs, in a process of its own."""

    process: subprocess.Popen[str]
    doors: dict[str, list[str]]

    def ask(
        self, door: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        """Status, body, headers in small letters."""
        host, _, port = self.doors[door][0].rpartition(":")
        connection = HTTPConnection(host, int(port), timeout=20)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode(), {key.lower(): value for key, value in answer.getheaders()}
        connection.close()
        return found

    def figures(self) -> dict[tuple[str, ...], float]:
        """What Prometheus would read, by name and the sorted values of labels."""
        text = self.ask("metrics", "/metrics")[1]
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in families(text)
            for sample in family.samples
        }


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as kept:
        yield kept


@pytest.fixture
def receiver(tmp_path: Path, environment: dict[str, str], collector: Collector) -> Iterator[Receiver]:
    (tmp_path / "logshed.toml").write_text(SETTINGS.format(traces=collector.url))
    process = subprocess.Popen(
        [sys.executable, "-m", "logshed", "receive", "--json"],
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Receiver(process, addresses(process))
    finally:
        process.kill()
        process.communicate()


def addresses(process: subprocess.Popen[str]) -> dict[str, list[str]]:
    """Where its doors are, which it tells once they are open."""
    assert process.stdout is not None
    text = ""
    while line := process.stdout.readline():
        text += line
        if line.rstrip() in ("}", text.rstrip()):
            found: dict[str, list[str]] = json.loads(text)["addresses"]
            return found
    raise AssertionError(process.communicate())


def test_what_a_client_sends_is_seen_all_the_way_into_the_lake(
    receiver: Receiver, collector: Collector, tmp_path: Path
) -> None:
    token, known = Tokens(tmp_path / "logshed-tokens.db").create(["web"], ["write"], rate=1_000)
    assert json.loads(receiver.ask("metrics", "/readyz")[1])["status"] == "ready"
    sent = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    lines = b"user=hunter2 did something\n" * 400  # ten seconds of its rate: the burst is five
    begun = time.monotonic()
    assert receiver.ask("http", "/v1/raw/web", "POST", lines, **sent)[0] == 200
    status, _, headers = receiver.ask("http", "/v1/raw/web", "POST", b"one more\n", **sent)
    assert status == 429
    assert 5 - (time.monotonic() - begun) <= int(headers["retry-after"]) <= 6
    in_lake = ("logshed_ingest_stored_records_total", "web"), ("logshed_ingest_rejected_records_total", "web")
    until = time.monotonic() + 90
    while time.monotonic() < until:
        found = receiver.figures()
        waiting = found["logshed_ingest_waiting_bytes",] or found["logshed_receive_connections", "http"]
        if not waiting and sum(found.get(key, 0) for key in in_lake) == 400:
            break
        time.sleep(0.2)
    assert found["logshed_receive_records_total", "lines", "web"] == 400
    assert found["logshed_receive_bytes_total", "lines", "web"] == len(lines)
    assert sum(found[key] for key in in_lake) == 400
    assert found["logshed_receive_throttled_requests_total", known.id] == 1
    assert found["logshed_receive_requests_total", "429", "lines"] == 1
    assert found["logshed_receive_connections", "http"] == 0
    assert found["logshed_receive_door_dropped_datagrams_total", "syslog_udp"] == 0
    assert found["logshed_ingest_lag_seconds",] == 0
    assert found["logshed_spool_bytes",] < found["logshed_spool_limit_bytes",]
    told_on_this_machine_and_to_others(receiver, tmp_path)
    receiver.process.send_signal(signal.SIGTERM)
    _, errors = receiver.process.communicate(timeout=90)
    assert receiver.process.returncode == 0, errors
    assert standings.here(tmp_path / "logshed-spool", tmp_path)["items"] == []
    traced(collector)


def told_on_this_machine_and_to_others(receiver: Receiver, folder: Path) -> None:
    """The file in the spool, and what asks it over HTTP, tell the same figures."""
    until = time.monotonic() + 90
    while True:
        (told,) = standings.here(folder / "logshed-spool", folder)["items"]
        if told["totals"]["records"] == 400 and told["now"]["backlog_bytes"] == 0:
            break
        assert time.monotonic() < until, told
        time.sleep(0.2)
    assert (told["verb"], told["state"], told["pid"]) == ("receive", "running", receiver.process.pid)
    assert told["collections"] == {"web": 400}
    assert told["totals"]["throttled"] == 1
    assert (told["doors"]["http"], told["problem"]) == (receiver.doors["http"], "")
    address = f"http://{receiver.doors['metrics'][0]}"
    first, away = asyncio.run(Receivers((address, "http://127.0.0.1:1")).look())
    assert (first["state"], first["problem"], away["state"]) == ("running", "", "unreachable")
    assert first["totals"] == told["totals"]
    assert first["now"]["spool_limit_bytes"] == told["now"]["spool_limit_bytes"]


def traced(collector: Collector) -> None:
    """One trace from the client's on, and by links into the lake."""
    spans = collector.spans
    assert {"receive", "take", "write", "redact", "spool append", "drain", "commit"} <= spans.keys()
    assert spans["receive"].trace_id.hex() == TRACE
    assert spans["receive"].parent_span_id.hex() == PARENT
    assert attributes(spans["receive"])["error.type"] == "OverloadedError"  # that is the last of them
    assert spans["take"].trace_id.hex() == TRACE
    assert [link.span_id for link in spans["write"].links] == [spans["take"].span_id]
    for name in ("redact", "spool append"):
        assert spans[name].parent_span_id == spans["write"].span_id
    assert attributes(spans["write"])["logshed.requests"] == 1
    linked = [one for one in collector.every if one.name == "drain" and one.links]
    assert [[link.span_id for link in one.links] for one in linked] == [[spans["write"].span_id]]
    assert linked[0].span_id in [one.parent_span_id for one in collector.every if one.name == "commit"]
    assert b"hunter2" not in collector.raw
    assert collector.resources[0]["service.name"] == "logshed"


def test_what_a_spool_held_before_counts_as_waiting_from_when_it_came(tmp_path: Path) -> None:
    settings = Settings(spool=tmp_path / "spool")
    with Spool(settings.spool) as spool:
        spool.append([Piece("raw:web", "web", b"one line\n")])
        (segment,) = spool.index.segments
        os.utime(segment, (time.time() - 100, time.time() - 100))
        running = _Running(Receive(settings, None, lambda _: None, lambda _: None), spool)
        checks = running._checks()
        assert {name: check.look() for name, check in checks.items()} == {"spool": ""}
        found = {one.name: one.samples[0].value for one in running._counts.collect() if one.samples}
    assert 100 <= found["logshed_ingest_lag_seconds"] < 160
    assert found["logshed_ingest_waiting_bytes"] == len(b"one line\n")
