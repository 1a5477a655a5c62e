"""A cluster's containers are read once and whole, whatever restarts, comes, goes or is cut; what is refused is named.

The API server here is a stand-in (``kubernetes_server.py`` says what of the real one it speaks); the client, the
HTTPS connections, the files and the processes that write them are real.
"""

from __future__ import annotations

import asyncio
import functools
import random
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes import client, config
from tests.sources.kubernetes_server import Container, Pod, StandIn
from tests.sources.kubernetes_writer import line

from logshed.errors import SourceError, UsageError
from logshed.sources import kubernetes_api, kubernetes_follower
from logshed.sources.kubernetes import KubernetesFeed
from logshed.sources.kubernetes_wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from logshed.sources.feeds import Arrival, Stream


WRITER = Path(__file__).with_name("kubernetes_writer.py")


class Kept:
    """A sink that keeps lines and cursors, as a spool does; it may lose what came last, as a crash does."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}
        self.cursors: dict[str, dict[str, Any]] = {}
        self.streams: dict[str, Stream] = {}
        self.told: list[tuple[str, str, str]] = []
        self.noted: list[tuple[str, str]] = []

    def cursor(self, stream: Stream) -> dict[str, Any]:
        """Where a stream goes on."""
        return self.cursors.get(stream.source, {})

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Keep lines."""
        for arrival in arrivals:
            source = arrival.stream.source
            self.lines.setdefault(source, []).extend(one.decode() for one in arrival.lines)
            self.cursors[source] = arrival.cursor(len(arrival.lines))
            self.streams[source] = arrival.stream

    def note(self, verb: str, target: str, outcome: str = "ok", details: Mapping[str, Any] | None = None) -> None:
        """Keep what is done."""
        assert (outcome, bool(details)) == ("ok", True)
        self.noted.append((verb, target))

    def tell(self, target: str, state: str, text: str = "") -> None:
        """Keep what is told."""
        self.told.append((target, state, text))

    @property
    def count(self) -> int:
        """Lines that came."""
        return sum(map(len, self.lines.values()))

    def numbers(self, name: str) -> list[int]:
        """The numbers of a writer's lines, in the order in which they came."""
        return [int(one.split()[6]) for lines in self.lines.values() for one in lines if one.split()[4] == name]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StandIn]:
    server = StandIn(tmp_path)
    yield server
    server.close()


def pod(server: StandIn, name: str = "shop-7d9c5b6f4-x2x9k", *containers: Container, namespace: str = "shop") -> Pod:
    """A pod with its containers running, unless they have been given."""
    made = Pod(namespace, name, list(containers) or [Container("web")], {"app": "shop", "tier": "front"})
    server.add(made)
    return made


def write(server: StandIn, made: Pod, first: int, count: int, container: str = "web", name: str = "a") -> None:
    """Write numbered lines into the current run's file; their times go up a millisecond each."""
    run = next(one for one in made.containers if one.name == container).runs[-1]
    begun = datetime.now(UTC)
    with run.log.open("a") as file:
        for number in range(first, first + count):
            moment = begun + timedelta(microseconds=number - first)
            file.write(line(f"{moment:%Y-%m-%dT%H:%M:%S.%f}", name, number))
    assert server.port


def collect(
    server: StandIn, sink: Kept, *steps: tuple[int, Callable[[], object]], upto: int = -1, **wanted: Any
) -> None:
    """Run a feed to its end, or until so many lines came.

    At each step's number of lines, what it says is done once; where it gives a condition, that is waited for.
    """
    open_steps = list(steps)

    async def run() -> None:
        feed = KubernetesFeed(Wanted(kubeconfig=str(server.kubeconfig), **wanted))
        running = asyncio.ensure_future(feed.run(sink))
        try:
            for _ in range(6000):
                if running.done() or (sink.count == upto and not open_steps):
                    break
                if open_steps and sink.count == open_steps[0][0]:
                    holds = open_steps.pop(0)[1]()
                    for _ in range(6000):
                        if not callable(holds) or holds():
                            break
                        await asyncio.sleep(0.01)
                    else:
                        pytest.fail(f"it never came about: {sink.told[-5:]}")
                await asyncio.sleep(0.01)
            else:
                pytest.fail(f"it never came: {sink.told[-5:]}, {sink.count} lines")
            if running.done():
                await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def test_all_containers_of_matching_pods_come_with_what_produced_them(server: StandIn) -> None:
    made = pod(server, "shop-0", Container("web"), Container("proxy"), Container("setup", "initContainers"))
    other = pod(server, "other-0", namespace="elsewhere")
    other.labels["app"] = "other"
    for one, container in ((made, "web"), (made, "proxy"), (made, "setup"), (other, "web")):
        server.start(one, container)
        write(server, one, 0, 3, container, container)
    server.end(made, "setup")
    sink = Kept()
    collect(server, sink, selector="app=shop")
    assert {name: len(lines) for name, lines in sink.lines.items()} == {
        f"kubernetes:test/shop/shop-0/{made.uid[:8]}/{container}": 3 for container in ("web", "proxy")
    }
    stream = sink.streams[f"kubernetes:test/shop/shop-0/{made.uid[:8]}/web"]
    assert dict(stream.resource) == {
        "container.image.name": "registry.example.com:5000/shop/web",
        "container.image.tags": "1.2",
        "container.name": "web",
        "k8s.cluster.name": "test",
        "k8s.container.name": "web",
        "k8s.namespace.name": "shop",
        "k8s.node.name": "node-1",
        "k8s.pod.label.app": "shop",
        "k8s.pod.label.tier": "front",
        "k8s.pod.name": "shop-0",
        "k8s.pod.uid": made.uid,
        "k8s.replicaset.name": "shop-7d9c5b6f4",
        "service.name": "shop",
    }
    collect(server, everything := Kept(), every=True)
    assert {name.rpartition("/")[2] for name in everything.lines} == {"web", "proxy", "setup"}
    assert everything.count == 12
    assert everything.lines[stream.source][0].split(" ", 3)[1:3] == ["stdout", "F"]


def test_running_again_brings_only_what_came_since(server: StandIn) -> None:
    made = pod(server)
    server.start(made, "web")
    sink = Kept()
    for upto in (50, 50, 120):
        write(server, made, sink.count, upto - sink.count)
        collect(server, sink)
        assert sink.numbers("a") == list(range(upto))
    assert server.log_queries[-1]["sinceTime"] > "2026"


def test_lines_since_a_moment(server: StandIn) -> None:
    made = pod(server)
    log = server.start(made, "web").log
    log.write_text(line("2020-01-05T10:00:00.000000", "a", 1))
    write(server, made, 2, 1)
    collect(server, sink := Kept(), since=datetime.now(UTC) - timedelta(hours=24))
    assert sink.numbers("a") == [2]


def test_a_container_that_restarts_is_followed_and_its_last_lines_come_first(server: StandIn) -> None:
    made = pod(server)
    server.start(made, "web")
    write(server, made, 0, 10)
    sink = Kept()

    def restarts() -> None:
        server.cut()
        write(server, made, 10, 5)  # written while nobody listens
        server.start(made, "web")
        write(server, made, 15, 10)

    collect(server, sink, (10, restarts), upto=25, follow=True)
    assert sink.numbers("a") == list(range(25))


def test_what_a_container_wrote_before_it_restarted_comes_to_a_collector_that_was_away(server: StandIn) -> None:
    made = pod(server)
    server.start(made, "web")
    write(server, made, 0, 10)
    sink = Kept()
    collect(server, sink)
    write(server, made, 10, 10)
    server.start(made, "web")
    write(server, made, 20, 10)
    collect(server, sink)
    assert sink.numbers("a") == list(range(30))


def test_the_run_before_comes_when_it_is_asked_for(server: StandIn) -> None:
    made = pod(server)
    for first in (0, 10):
        server.start(made, "web")
        write(server, made, first, 10)
    collect(server, current := Kept())
    collect(server, both := Kept(), previous=True)
    assert current.numbers("a") == list(range(10, 20))
    assert both.numbers("a") == list(range(20))


def test_a_container_that_waits_for_its_next_start_is_read_once(server: StandIn) -> None:
    made = pod(server)
    server.start(made, "web")
    write(server, made, 0, 10)
    server.end(made, "web", waits=True)
    sink = Kept()

    def starts() -> None:
        server.start(made, "web")
        write(server, made, 10, 10)

    collect(server, sink, (10, starts), upto=20, follow=True)
    collect(server, sink)
    assert sink.numbers("a") == list(range(20))


def test_new_pods_are_picked_up_also_after_the_api_has_forgotten_what_came(server: StandIn) -> None:
    sink = Kept()
    made = pod(server, "shop-0")
    server.start(made, "web")
    write(server, made, 0, 5, name="shop-0")

    def comes(number: int) -> None:
        if number == 2:
            server.forget()
        new = pod(server, name := f"shop-{number}")
        server.start(new, "web")
        write(server, new, 0, 5, name=name)

    steps = [(5 * number, functools.partial(comes, number)) for number in (1, 2, 3)]
    collect(server, sink, *steps, upto=20, follow=True)
    assert all(sink.numbers(f"shop-{number}") == [0, 1, 2, 3, 4] for number in range(4))
    assert server.asked.count(("list", "pods")) >= 2


def test_a_pod_that_is_deleted_is_let_go_and_one_of_the_same_name_is_another(server: StandIn) -> None:
    sink = Kept()
    first = pod(server, "shop-0")
    server.start(first, "web")
    write(server, first, 0, 5)

    def replaced() -> None:
        server.remove(first)
        second = pod(server, "shop-0")
        server.start(second, "web")
        write(server, second, 5, 5)

    ended = ("shop/shop-0/web", "ended", "")
    collect(server, sink, (5, replaced), (10, lambda: lambda: ended in sink.told), upto=10, follow=True)
    assert ended in sink.told
    assert len(sink.lines) == 2
    assert sorted(sink.numbers("a")) == list(range(10))
    assert not [one for one in sink.told if one[1] == "failed"]


def test_the_api_server_may_go_and_come_back(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_follower, "LONGEST_PAUSE_S", 0.6)
    made = pod(server)
    server.start(made, "web")
    write(server, made, 0, 10)
    sink = Kept()

    def away() -> None:
        server.down()
        write(server, made, 10, 10)
        threading.Timer(0.7, server.up).start()

    collect(server, sink, (10, away), upto=20, follow=True)
    assert sink.numbers("a") == list(range(20))
    assert any("cannot reach the Kubernetes API" in text for _, state, text in sink.told if state == "waiting")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_line_comes_once_however_often_the_api_cuts_off_and_containers_restart(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(kubernetes_follower, "LONGEST_PAUSE_S", 0.5)
    chance = random.Random(seed)  # noqa: S311 - a test's data
    made = pod(server)
    sink = Kept()

    def happens() -> None:
        for run in range(2):
            log = server.start(made, "web").log
            words = [sys.executable, str(WRITER), str(log), "a", str(run * 7_500), "7500", "5000"]
            with subprocess.Popen(words) as writer:
                while writer.poll() is None:
                    time.sleep(chance.uniform(0.05, 0.4))
                    server.cut()
            assert writer.returncode == 0

    happening = threading.Thread(target=happens)
    happening.start()
    collect(server, sink, upto=15_000, follow=True)
    happening.join()
    assert sink.numbers("a") == list(range(15_000))


def test_a_quiet_container_is_asked_for_anew_without_a_word(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_api, "SILENT_S", 0.3)
    server.start(made := pod(server), "web")
    write(server, made, 0, 5)
    more = functools.partial(write, server, made, 5, 5)

    def asked(times: int) -> Callable[[], object]:
        return lambda: lambda: len(server.log_queries) >= times

    collect(server, sink := Kept(), (5, asked(3)), (5, more), (10, asked(6)), upto=10, follow=True)
    assert sink.numbers("a") == list(range(10))
    assert {state for _, state, _ in sink.told} == {"following"}
    assert len(server.log_queries) >= 6


def test_hundreds_of_pods_come_in_pages_and_are_followed_at_once(server: StandIn) -> None:
    server.page = 50
    for number in range(220):
        made = pod(server, f"shop-{number}")
        server.start(made, "web")
        write(server, made, 0, 3)
    collect(server, sink := Kept(), upto=660, follow=True)
    assert len(sink.lines) == 220
    assert server.asked.count(("list", "pods")) == 5


def test_what_the_stand_in_gives_is_what_the_clients_own_models_take(server: StandIn) -> None:
    made = pod(server, "shop-0", Container("web"), Container("setup", "initContainers"))
    for ends, waits in ((False, False), (True, False), (True, True)):
        server.start(made, "web")
        if ends:
            server.end(made, "web", waits=waits)
        with client.ApiClient(_configured(server)) as api:
            listed = client.CoreV1Api(api).list_namespaced_pod("shop")
        assert [one.metadata.uid for one in listed.items] == [made.uid]
        state = listed.items[0].status.container_statuses[0].state
        assert [bool(state.running), bool(state.terminated), bool(state.waiting)] == [not ends, ends > waits, waits]


def _configured(server: StandIn) -> client.Configuration:
    configuration = client.Configuration()
    config.load_kube_config(str(server.kubeconfig), client_configuration=configuration)
    return configuration


def test_a_list_whose_pages_the_api_has_forgotten_is_read_at_once(server: StandIn) -> None:
    server.page, server.forgets_pages = 2, True
    for number in range(5):
        server.start(made := pod(server, f"shop-{number}"), "web")
        write(server, made, 0, 1)
    collect(server, sink := Kept())
    assert len(sink.lines) == 5


def test_a_nodes_trouble_in_the_place_of_a_log_is_told_and_no_line(server: StandIn) -> None:
    made = pod(server)
    server.start(made, "web")
    write(server, made, 0, 5)
    server.noise = b"unable to retrieve container logs for containerd://1\x1b[2J\n"
    collect(server, sink := Kept(), upto=5, follow=True)
    assert sink.numbers("a") == list(range(5))
    assert ("shop/shop-7d9c5b6f4-x2x9k/web", "waiting") in [one[:2] for one in sink.told]
    assert not any("\x1b" in text for _, _, text in sink.told)


def test_binary_lines_long_lines_and_a_last_line_without_its_end(server: StandIn) -> None:
    made = pod(server)
    log = server.start(made, "web").log
    stamp = b"2026-01-05T10:00:00.000000001Z stdout F "
    log.write_bytes(stamp + b"\x00\xff\xfe\n" + stamp + b"x" * 1_500_000 + b"\n" + stamp + b"\n" + stamp + b"the end")
    server.end(made, "web")
    kept: list[bytes] = []

    class Raw(Kept):
        async def put(self, arrivals: Sequence[Arrival]) -> None:
            kept.extend(one for arrival in arrivals for one in arrival.lines)

    collect(server, Raw())
    assert [one.removeprefix(stamp) for one in kept] == [b"\x00\xff\xfe", b"x" * 1_500_000, b"", b"the end"]


@pytest.mark.parametrize(
    ("verb", "resource", "namespace", "role"),
    [("list", "pods", "", "a ClusterRole"), ("list", "pods", "shop", "a Role"), ("get", "pods/log", "shop", "a Role")],
)
@pytest.mark.parametrize("follow", [False, True])
def test_what_is_forbidden_is_named_with_the_rule_that_is_missing(
    server: StandIn, verb: str, resource: str, namespace: str, role: str, *, follow: bool
) -> None:
    made = pod(server)
    server.start(made, "web")
    server.forbidden.add((verb, resource))
    with pytest.raises(SourceError) as caught:
        collect(server, Kept(), namespace=namespace, follow=follow)
    text = str(caught.value)
    assert f'lacks {role} with the rule apiGroups [""], resources ["{resource}"], verbs ["{verb}"]' in text
    assert "deploy/kubernetes/collect-role.yaml" in text
    assert f"cannot {verb} resource" in text.replace('"', "")


def test_a_watch_that_is_forbidden_is_told_while_what_there_is_comes(server: StandIn) -> None:
    made = pod(server)
    server.start(made, "web")
    write(server, made, 0, 5)
    server.forbidden.add(("watch", "pods"))
    sink = Kept()

    def told() -> bool:
        waiting = [text for _, state, text in sink.told if state == "waiting"]
        return any('resources ["pods"], verbs ["watch"]' in text for text in waiting)

    collect(server, sink, (5, lambda: told), upto=5, follow=True)
    assert told()


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"context": "none"}, "cannot use the context 'none': "),
        ({"context": "away"}, "cannot reach the Kubernetes API https://localhost:9: "),
        ({"context": "strange"}, "its certificate is not trusted"),
        ({"context": "nobody"}, "the context names no user"),
        (
            {"namespace": "nowhere"},
            "cannot collect from the namespace 'nowhere': the cluster test has none of that name",
        ),
        ({"namespace": "empty"}, "cannot collect from the namespace 'empty': it has no pod"),
        ({"selector": "app=none"}, "it has no pod whose labels match 'app=none'"),
    ],
)
def test_what_is_not_there_is_named(server: StandIn, wanted: dict[str, str], text: str) -> None:
    pod(server)
    with pytest.raises(SourceError) as caught:
        collect(server, Kept(), **wanted)
    assert text in str(caught.value)
    assert "; " in str(caught.value)


def test_without_the_client_the_extra_that_is_missing_is_named(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes.aio", None)
    with pytest.raises(SourceError, match=r"is not installed; pip install 'logshed\[kubernetes\]'"):
        collect(server, Kept())


def test_credentials_that_are_not_accepted_are_named(server: StandIn) -> None:
    server.rejects = True
    with pytest.raises(SourceError, match=r"the API does not accept the credentials .*; log in again"):
        collect(server, Kept())


def test_one_log_that_cannot_be_read_stops_no_other(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_follower, "FIRST_PAUSE_S", 0.05)
    pod(server, "shop-0", Container("web"), Container("gone"))
    made = pod(server, "shop-1")
    server.start(made, "web")
    write(server, made, 0, 5)
    broken = pod(server, "shop-2")
    run = server.start(broken, "web")
    run.log.unlink()
    collect(server, sink := Kept())
    assert sink.numbers("a") == list(range(5))
    assert [one[:2] for one in sink.told if one[1] == "failed"] == [("shop/shop-2/web", "failed")]


@pytest.mark.parametrize("name", ["../secrets", "a b", "Shop", "x?y=1"])
def test_a_namespace_that_is_no_name_is_refused_before_anything_is_asked(server: StandIn, name: str) -> None:
    with pytest.raises(UsageError, match="that is no name of one"):
        collect(server, Kept(), namespace=name)
    assert server.asked == []


def test_nothing_but_reading_is_asked_of_the_api(server: StandIn) -> None:
    made = pod(server)
    server.start(made, "web")
    write(server, made, 0, 5)
    collect(server, sink := Kept(), upto=5, follow=True, namespace="shop")
    assert set(server.asked) <= {("list", "pods"), ("watch", "pods"), ("get", "pods"), ("get", "pods/log")}
    assert sink.noted == [("list pods", "kubernetes:current/shop"), ("read log", "shop/shop-7d9c5b6f4-x2x9k/web")]
