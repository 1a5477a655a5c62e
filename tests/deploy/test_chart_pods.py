"""Pods of the Helm chart get no more than they need, fit each other, and run commands that there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.deploy.charts import CHART, SETS, containers, of_kind, pods, render, rendered, values
from tests.deploy.test_kubernetes_role import MANIFESTS, rules
from typer.main import get_command

from logshed.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SHARED = {
    "storage": {"warehouse": "s3://b/lake"},
    "catalog": {"uri": "postgresql+psycopg2://u@h/d", "password": "env:DB"},
}


@pytest.mark.parametrize("name", SETS)
def test_pods_keep_to_the_restricted_standard_and_write_nothing_of_their_image(name: str) -> None:
    seen = 0
    for one in rendered(name):
        for place, spec in pods(one):
            assert spec["securityContext"]["runAsNonRoot"] is True, place
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert spec["enableServiceLinks"] is False
            volumes = {key for volume in spec["volumes"] for key in volume if key != "name"}
            assert volumes <= {"configMap", "emptyDir", "secret", "persistentVolumeClaim"}
            for container in containers(spec):
                restricted(container["securityContext"])
                assert "latest" not in container["image"]
                assert {"cpu", "memory"} <= set(container["resources"]["requests"])
                assert "memory" in container["resources"]["limits"]
                seen += 1
    for one in of_kind(rendered(name), "SparkApplication"):
        for part in ("driver", "executor"):
            restricted(one["spec"][part]["securityContext"])
            assert one["spec"][part]["podSecurityContext"]["runAsNonRoot"] is True
            seen += 1
    assert seen >= 3


def restricted(context: dict[str, Any]) -> None:
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["runAsNonRoot"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("name", SETS)
def test_volumes_mounts_claims_and_settings_fit_each_other(name: str) -> None:
    made = rendered(name)
    named = {(one["kind"], one["metadata"]["name"]) for one in made}
    for one in made:
        templates = {claim["metadata"]["name"] for claim in one.get("spec", {}).get("volumeClaimTemplates", [])}
        for place, spec in pods(one):
            volumes = {volume["name"] for volume in spec["volumes"]}
            mounted = {mount["name"] for container in containers(spec) for mount in container["volumeMounts"]}
            assert volumes | templates == mounted, place
            for volume in spec["volumes"]:
                if "persistentVolumeClaim" in volume:
                    assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in named
                if "configMap" in volume:
                    assert ("ConfigMap", volume["configMap"]["name"]) in named
            if spec["serviceAccountName"] != "default":
                assert ("ServiceAccount", spec["serviceAccountName"]) in named


def test_the_collector_gets_the_rights_that_are_shipped_for_it_and_no_others() -> None:
    shipped = [rules(path) for path in MANIFESTS]
    for name, kind in (("minimal", "ClusterRole"), ("full", "Role")):
        roles = of_kind(rendered(name), "Role", "ClusterRole")
        assert {role["kind"] for role in roles} == {kind}
        assert all(role["rules"] in shipped for role in roles)
        for binding in of_kind(rendered(name), f"{kind}Binding"):
            assert binding["subjects"] == [
                {"kind": "ServiceAccount", "name": "shop-logshed-collector", "namespace": "logs"}
            ]
    assert [role["metadata"]["namespace"] for role in of_kind(rendered("full"), "Role")] == ["shop", "pay"]


@pytest.mark.parametrize("name", SETS)
def test_only_who_talks_to_the_cluster_gets_a_token_of_it(name: str) -> None:
    for one in rendered(name):
        for _, spec in pods(one):
            asks = spec["serviceAccountName"].endswith("-collector")
            assert spec["automountServiceAccountToken"] is asks
    for one in of_kind(rendered(name), "ServiceAccount"):
        assert one["automountServiceAccountToken"] is one["metadata"]["name"].endswith("-spark")


def test_the_value_of_a_secret_stands_in_the_secret_alone() -> None:
    made = render({**SHARED, "secrets": {"data": {"DB": "hunter2 is planted"}, "env": ["DB"]}})
    holding = [one["kind"] for one in made if "hunter2 is planted" in json.dumps(one)]
    assert holding == ["Secret"]


@pytest.mark.parametrize("name", SETS)
def test_traffic_is_refused_unless_a_rule_lets_it_through(name: str) -> None:
    policies = of_kind(rendered(name), "NetworkPolicy")
    base = next(one for one in policies if one["metadata"]["name"] == "shop-logshed")
    everyone = base["spec"]["podSelector"]["matchLabels"]
    assert base["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in base["spec"]
    dns, own, *others = base["spec"]["egress"]
    assert dns["to"][0]["podSelector"]["matchLabels"] == {"k8s-app": "kube-dns"}
    assert own == {"to": [{"podSelector": {"matchLabels": everyone}}]}
    assert others == values(name).get("networkPolicy", {}).get("egress", DEFAULTS["networkPolicy"]["egress"])
    for one in rendered(name):
        for labels in pod_labels(one):
            assert everyone.items() <= labels.items(), one["metadata"]["name"]
    for one in policies:
        for rule in one["spec"].get("ingress", []):
            assert rule["from"], one["metadata"]["name"]
            assert all(peer for peer in rule["from"])


def pod_labels(one: dict[str, Any]) -> list[dict[str, str]]:
    spec = one.get("spec", {})
    if one["kind"] == "Pod":
        return [one["metadata"]["labels"]]
    if one["kind"] == "RayJob":
        cluster = spec["rayClusterSpec"]
        groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
        return [group["template"]["metadata"]["labels"] for group in groups]
    if one["kind"] == "SparkApplication":
        return [spec["driver"]["labels"], spec["executor"]["labels"]]
    return [spec["template"]["metadata"]["labels"]] if "template" in spec and "selector" in spec else []


@pytest.mark.parametrize("name", SETS)
def test_selectors_find_the_pods_that_they_are_for(name: str) -> None:
    labels = [found for one in rendered(name) for found in pod_labels(one)]
    for one in rendered(name):
        selector = one.get("spec", {}).get("selector") or one.get("spec", {}).get("podSelector")
        if selector and one["kind"] != "ServiceMonitor":
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= found.items() for found in labels), one["metadata"]["name"]
    for one in of_kind(rendered(name), "ServiceMonitor"):
        services = of_kind(rendered(name), "Service")
        wanted = one["spec"]["selector"]["matchLabels"]
        found = [service for service in services if wanted.items() <= service["metadata"]["labels"].items()]
        assert [service["metadata"]["name"] for service in found] == ["shop-logshed-receiver-pods"]
        assert one["spec"]["endpoints"][0]["port"] in [port["name"] for port in found[0]["spec"]["ports"]]


@pytest.mark.parametrize("name", SETS)
def test_every_command_and_option_is_one_of_logshed(name: str) -> None:
    asked = [words for one in rendered(name) for words in commands(one)]
    assert asked
    for words in asked:
        assert not unknown(words), words


@pytest.mark.parametrize("engine", ["ray", "spark"])
def test_the_words_of_a_job_are_those_of_logshed(engine: str) -> None:
    data = next(one["data"] for one in of_kind(rendered(f"cluster-{engine}"), "ConfigMap") if "job.json" in one["data"])
    words = json.loads(data["job.json"])
    assert words[words.index("--engine") + 1] == engine
    assert not unknown(["logshed", *words])


def unknown(words: list[str]) -> set[str]:
    """The options of a command line that the command does not have."""
    command: Any = get_command(app)
    rest = list(words[1:])
    while rest and hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    known = {option for one in command.params for option in one.opts}
    return {word.split("=")[0] for word in rest if word.startswith("-")} - known


def commands(one: dict[str, Any]) -> list[list[str]]:
    """The command lines of Logshed in a manifest, those of probes and jobs among them."""
    found = []
    for _, spec in pods(one):
        for container in containers(spec):
            found.append([*container.get("command", []), *container.get("args", [])])
            probes = [container.get(f"{kind}Probe", {}) for kind in ("startup", "readiness", "liveness")]
            found += [probe["exec"]["command"] for probe in probes if "exec" in probe]
    return [words for words in found if words and words[0] == "logshed"]


@pytest.mark.parametrize("name", ["minimal", "full"])
def test_the_settings_that_pods_read_are_sound(tmp_path: Path, name: str) -> None:
    config = next(one for one in of_kind(rendered(name), "ConfigMap") if one["metadata"]["name"].endswith("-settings"))
    assert config["data"]["logshed.toml"] == values(name).get("settings", DEFAULTS["settings"])
    for one in of_kind(rendered(name), "ExternalSecret"):
        for entry in one["spec"]["data"]:
            (tmp_path / entry["secretKey"]).write_text("https://hooks.example.com/x", encoding="utf-8")
    here = config["data"]["logshed.toml"].replace("/run/secrets/logshed", str(tmp_path))
    (tmp_path / "logshed.toml").write_text(here, encoding="utf-8")
    test = of_kind(rendered(name), "Pod")[0]
    env = {one["name"]: one.get("value", "redis://127.0.0.1:6379/0") for one in test["spec"]["containers"][0]["env"]}
    env = {key: value.replace("/run/secrets/logshed", str(tmp_path)) for key, value in env.items()}
    done = program(["-m", "logshed", "check"], tmp_path, env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "logshed.toml read" in done.stdout


def program(words: list[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python as a pod would, with HOME where it may write."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | env | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_job_runs_its_command_with_the_settings_beside_it(tmp_path: Path) -> None:
    data = next(one["data"] for one in of_kind(rendered("cluster-ray"), "ConfigMap") if "job.json" in one["data"])
    for name, text in data.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert json.loads(data["job.json"]) == [
        *("ingest", "s3://company-raw/nginx/*.gz", "s3://company-raw/it's here/"),
        *("--engine", "ray", "--address", "auto", "--collection", "shop"),
    ]
    (tmp_path / "job.json").write_text('["check"]', encoding="utf-8")
    done = program([str(tmp_path / "main.py")], tmp_path.parent, {})
    assert done.returncode == 0, done.stderr
    assert "logshed.toml read" in done.stdout


def test_a_lake_that_is_a_folder_is_one_volume_and_all_that_write_it_are_on_its_node() -> None:
    made = rendered("minimal")
    for one in of_kind(made, "Deployment"):
        spec = one["spec"]["template"]["spec"]
        mounts = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        claimed = [one for one in spec["volumes"] if "persistentVolumeClaim" in one]
        claims = {one["name"]: one["persistentVolumeClaim"]["claimName"] for one in claimed}
        assert claims[mounts["/var/lib/logshed/lake"]] == "shop-logshed-lake"
        term = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]
        wanted = term["labelSelector"]["matchLabels"]
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert wanted.items() <= labels.items()
        assert labels["app.kubernetes.io/component"] in term["labelSelector"]["matchExpressions"][0]["values"]
        assert one["spec"]["strategy"] == {"type": "Recreate"}
    claims_made = of_kind(made, "PersistentVolumeClaim")
    assert all(one["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for one in claims_made)


def test_big_numbers_stay_whole() -> None:
    made = render({"runAsUser": 1_000_650_000, "scheduler": {"terminationGracePeriodSeconds": 86_400_000}})
    spec = of_kind(made, "Deployment")[0]["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsUser"] == 1_000_650_000
    assert spec["terminationGracePeriodSeconds"] == 86_400_000


def test_the_web_pod_serves_the_whole_application_where_that_is_asked_for() -> None:
    made = render({"web": {"enabled": True, "application": True, "tls": {"existingSecret": "site"}}})
    pod = next(one for one in of_kind(made, "Deployment") if one["metadata"]["name"].endswith("-web"))
    (container,) = pod["spec"]["template"]["spec"]["containers"]
    assert container["command"][:2] == ["logshed", "serve"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "http", "scheme": "HTTPS"}


def test_the_command_that_tests_the_web_pods_tells_whether_they_answer(tmp_path: Path) -> None:
    test = of_kind(render({"web": {"enabled": True}, "env": {"LOGSHED_LIVE_REDIS": "redis://r"}}), "Pod")[0]
    command = next(one["command"] for one in test["spec"]["containers"] if one["name"] == "web")
    assert command[:2] == ["python", "-c"]
    for status, code in ((200, 0), (503, 1)):
        with answering(status) as port:
            words = command[2].replace('"shop-logshed-web", 80', f'"127.0.0.1", {port}')
            assert program(["-c", words], tmp_path, {}).returncode == code


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server of this machine that answers every GET with a status; gives its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
