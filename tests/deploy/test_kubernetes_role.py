"""The rights that are shipped for collecting are sound, read-only, no more than is used and no less than is needed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from tests.sources.kubernetes_server import Container, Pod, StandIn

from logshed.sources import kubernetes_api
from logshed.sources.kubernetes import KubernetesFeed
from logshed.sources.kubernetes_wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.sources.feeds import Arrival, Stream

ROOT = Path(__file__).parent.parent.parent
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("collect-role*.yaml"))
NEEDED = {("get", "pods"), ("list", "pods"), ("watch", "pods"), ("get", "pods/log")}


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def rules(path: Path) -> list[dict[str, Any]]:
    return [rule for one in documents(path) if one["kind"].endswith("Role") for rule in one["rules"]]


def granted(path: Path) -> set[tuple[str, str]]:
    return {(verb, resource) for rule in rules(path) for resource in rule["resources"] for verb in rule["verbs"]}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", ["1.27", "1.31", "1.37"])
def test_manifests_are_what_kubernetes_takes(path: Path, version: str) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_role_grants_reading_pods_and_their_logs_and_nothing_else(path: Path) -> None:
    assert granted(path) == NEEDED
    assert all(rule["apiGroups"] == [""] and "resourceNames" not in rule for rule in rules(path))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_binding_gives_the_role_to_the_service_account(path: Path) -> None:
    by_kind = {one["kind"]: one for one in documents(path)}
    binding = next(one for kind, one in by_kind.items() if kind.endswith("Binding"))
    role = by_kind[binding["roleRef"]["kind"]]
    account = by_kind["ServiceAccount"]["metadata"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
    ]


def test_the_manifest_that_errors_name_is_there() -> None:
    assert ROOT / kubernetes_api.ROLE in MANIFESTS


class Counted:
    """A sink that counts lines."""

    def __init__(self) -> None:
        self.lines = 0

    def cursor(self, stream: Stream) -> dict[str, Any]:
        """Every stream is new."""
        return {} if stream else {"none": 1}

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Count lines."""
        self.lines += sum(len(one.lines) for one in arrivals)

    def note(self, verb: str, target: str, outcome: str = "ok", details: Mapping[str, Any] | None = None) -> None:
        """Everything is done."""
        assert outcome == "ok", (verb, target, details)

    def tell(self, target: str, state: str, text: str = "") -> None:
        """Nothing may fail."""
        assert state in ("following", "ended"), (target, text)


def test_the_rights_are_enough(tmp_path: Path) -> None:
    server = StandIn(tmp_path)
    try:
        server.allowed = granted(ROOT / kubernetes_api.ROLE)
        server.add(pod := Pod("shop", "shop-0", [Container("web")]))
        run = server.start(pod, "web")
        run.log.write_text("2026-01-05T10:00:00.000000001Z stdout F one\n")
        sink = Counted()

        async def follow() -> None:
            feed = KubernetesFeed(Wanted(kubeconfig=str(server.kubeconfig), namespace="shop", follow=True))
            running = asyncio.ensure_future(feed.run(sink))
            for _ in range(6000):
                if {("watch", "pods"), ("get", "pods/log")} <= set(server.asked) and sink.lines:
                    break
                await asyncio.sleep(0.01)
            assert not running.done()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        asyncio.run(follow())
        assert sink.lines == 1
    finally:
        server.close()
