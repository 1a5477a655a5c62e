"""``logshed collect kubernetes``: every numbered line is in the lake once, though the collector is killed, the API cut.

The API server is a stand-in (see ``tests/sources/kubernetes_server.py``); program, writers and lake are real.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.sources.kubernetes_server import Container, Pod, StandIn

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Run as Program
    from tests.started import Process, Starter

WRITER = Path(__file__).parent.parent / "sources" / "kubernetes_writer.py"
PER_SECOND = 1_800
NUMBERED = """
    SELECT name, count(*), count(DISTINCT n), min(n), max(n) FROM (
        SELECT regexp_extract(text, ' (p[0-9]+) number', 1) AS name, regexp_extract(text, 'r ([0-9]+) of', 1)::INT AS n
        FROM lines
    ) GROUP BY 1
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StandIn]:
    (folder := tmp_path / "cluster").mkdir()
    server = StandIn(folder)
    yield server
    server.close()


class Writers:
    """Processes that write numbered lines for pods."""

    def __init__(self, server: StandIn) -> None:
        self._server = server
        self.written: dict[str, int] = {}
        self._running: list[subprocess.Popen[bytes]] = []

    def pod(self, name: str, count: int) -> Pod:
        """A pod appears, and its container writes."""
        pod = Pod("shop", name, [Container("web")], {"app": name})
        self._server.add(pod)
        self.start(pod, count)
        return pod

    def start(self, pod: Pod, count: int) -> None:
        """A run of the container begins; its numbers go on where the last one's ended."""
        run = self._server.start(pod, "web")
        first = self.written.get(pod.name, 0)
        self.written[pod.name] = first + count
        words = [str(run.log), pod.name, str(first), str(count), str(PER_SECOND)]
        self._running.append(subprocess.Popen([sys.executable, WRITER, *words]))

    def wait(self) -> None:
        """Wait until all have written."""
        assert [one.wait(60) for one in self._running] == [0] * len(self._running)


def started(server: StandIn, tmp_path: Path, starter: Starter, environment: dict[str, str]) -> Process:
    """The collector, which follows everything into the lake."""
    words = ["collect", "kubernetes", "--kubeconfig", server.kubeconfig, "--follow", "--into-lake", "--lake", "lake"]
    with (tmp_path / "told.txt").open("ab") as told, Path(os.devnull).open() as nothing:
        return starter.start(words, tmp_path, environment, [nothing.fileno(), told.fileno(), told.fileno()])


def test_every_line_is_in_the_lake_once_whatever_is_killed_cut_or_restarted(
    server: StandIn, tmp_path: Path, starter: Starter, environment: dict[str, str]
) -> None:
    writers = Writers(server)
    pods = [writers.pod(f"p{number}", PER_SECOND * 3) for number in range(3)]
    collector = started(server, tmp_path, starter, environment)
    try:
        _wait_for_lines(server, 3)
        time.sleep(1.5)
        collector.kill()
        collector.wait()
        server.cut()
        collector = started(server, tmp_path, starter, environment)
        _wait_for_lines(server, 6)
        server.cut()
        writers.wait()
        writers.start(pods[0], PER_SECOND)
        writers.pod("p3", PER_SECOND)
        server.down()
        time.sleep(0.5)
        server.up()
        server.forget()
        writers.wait()
        _wait_for(tmp_path, sum(writers.written.values()))
        collector.send_signal(signal.SIGINT)
        assert collector.wait(120) == 0
    finally:
        collector.kill()
        collector.wait()
    lake = Lake.open(tmp_path / "lake")
    rows = lake.query(NUMBERED)
    expected = {(name, count, count, 0, count - 1) for name, count in writers.written.items()}
    assert set(rows.rows()) == expected, (tmp_path / "told.txt").read_text()
    assert lake.audit().ok
    of_pods = lake.query(
        "SELECT DISTINCT k8s_namespace_name, k8s_pod_name, container_name, service_name, attributes['k8s.node.name'], "
        "attributes['k8s.pod.label.app'], timestamp_source FROM logs ORDER BY 2"
    )
    assert of_pods.rows() == [("shop", name, "web", name, "node-1", name, "event") for name in ("p0", "p1", "p2", "p3")]
    assert _nowhere(tmp_path, b"@example.com", besides=server.folder)


def test_saved_lines_are_redacted_and_come_once(server: StandIn, tmp_path: Path, logshed: Program) -> None:
    writers = Writers(server)
    pod = writers.pod("p0", 500)
    writers.wait()
    words = ("collect", "kubernetes", "--kubeconfig", server.kubeconfig, "-n", "shop", "--save", "k8s_logs.jsonl")
    for _ in range(2):
        done = logshed(*words)
        assert done.returncode == 0, done.stderr
    assert "0 lines of 1 place are in k8s_logs.jsonl" in done.stderr
    with (tmp_path / "k8s_logs.jsonl").open("ab") as file:
        file.write(b'{"half a li')  # as a crash leaves it
    writers.start(pod, 100)
    writers.wait()
    assert logshed(*words).returncode == 0
    saved = [json.loads(one) for one in (tmp_path / "k8s_logs.jsonl").read_text().splitlines()]
    assert [int(one["body"].split()[3]) for one in saved] == list(range(600))
    assert saved[0]["body"] == "INFO p0 number 0 of [EMAIL]"
    assert saved[0]["timestamp"].startswith("20")
    assert [saved[0][f"k8s.{name}"] for name in ("pod.name", "pod.label.app", "node.name")] == ["p0", "p0", "node-1"]
    assert _nowhere(tmp_path, b"@example.com", besides=server.folder)


def test_what_is_forbidden_ends_it_with_the_rule_that_is_missing(server: StandIn, logshed: Program) -> None:
    server.forbidden.add(("list", "pods"))
    done = logshed("collect", "kubernetes", "--kubeconfig", server.kubeconfig)
    assert done.returncode == 1
    assert 'the rule apiGroups [""], resources ["pods"], verbs ["list"]; deploy/kubernetes/' in done.stderr


def test_one_of_two_namespaces_that_is_not_there_is_named_and_stops_nothing(server: StandIn, logshed: Program) -> None:
    writers = Writers(server)
    writers.pod("p0", 10)
    writers.wait()
    done = logshed("collect", "kubernetes", "--kubeconfig", server.kubeconfig, "-n", "shop", "-n", "nowhere", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["lines"]) == (0, 10)
    assert list(report["failed"]) == ["kubernetes:current/nowhere"]


def test_saving_and_the_lake_exclude_each_other(logshed: Program) -> None:
    done = logshed("collect", "kubernetes", "--save", "x.jsonl", "--into-lake")
    assert done.returncode == 2
    assert "lines go to one of them" in done.stderr


def _wait_for_lines(server: StandIn, asked: int) -> None:
    """Wait until so many logs have been asked for."""
    for _ in range(2400):
        if len(server.log_queries) >= asked:
            return
        time.sleep(0.05)
    pytest.fail(f"only {len(server.log_queries)} logs were asked for")


def _wait_for(tmp_path: Path, count: int) -> None:
    """Wait until so many lines are in the lake."""
    found = 0
    for _ in range(170):
        time.sleep(0.7)
        if (tmp_path / "lake").is_dir():
            found = Lake.open(tmp_path / "lake").query("SELECT count(*) FROM lines").rows()[0][0]
        if found >= count:
            return
    pytest.fail(f"only {found} of {count} lines came: {(tmp_path / 'told.txt').read_text()}")


def _nowhere(folder: Path, text: bytes, besides: Path) -> bool:
    files = [one for one in folder.rglob("*") if one.is_file() and besides not in one.parents]
    assert files
    return not any(text in one.read_bytes() for one in files)
