"""The receiver of the Helm chart listens where its ports are, hides its figures, and says by itself how it stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from tests.deploy.charts import containers, of_kind, render, rendered, values

from logshed.receive_settings import Receive

ON = {"receiver": {"enabled": True, "insecure": True}}
OWN = [("defaults", ON), ("receiver", values("receiver"))]


def settings(made: Any) -> dict[str, Any]:
    """What pods read as logshed.toml."""
    config = next(one for one in of_kind(made, "ConfigMap") if one["metadata"]["name"].endswith("-settings"))
    return tomllib.loads(config["data"]["logshed.toml"])


def pod(made: Any) -> dict[str, Any]:
    """The spec of the receiver's pods."""
    (found,) = of_kind(made, "StatefulSet")
    spec: dict[str, Any] = found["spec"]["template"]["spec"]
    return spec


def ports(made: Any, name: str) -> set[str]:
    """The ports of one of its services."""
    (service,) = (one for one in of_kind(made, "Service") if one["metadata"]["name"] == name)
    return {one["name"] for one in service["spec"]["ports"]}


@pytest.mark.parametrize(("name", "given"), OWN, ids=[name for name, _ in OWN])
def test_doors_are_sound_and_listen_on_the_ports_of_the_pod(name: str, given: dict[str, Any]) -> None:
    made = render(given)
    receive = Receive.model_validate(settings(made)["receive"])
    listening = {
        (address.port, "UDP" if door == "syslog_udp" else "TCP")
        for door, one in receive.doors.items()
        for address in one.addresses
    }
    assert receive.metrics is not None
    listening.add((int(receive.metrics.rpartition(":")[2]), "TCP"))
    (container,) = containers({"containers": pod(made)["containers"]})
    assert {(one["containerPort"], one["protocol"]) for one in container["ports"]} == listening, name
    assert container["command"] == ["logshed", "receive"]


def test_what_the_values_say_of_a_door_holds_and_tls_is_on_all_that_can_speak_it() -> None:
    receive = Receive.model_validate(settings(rendered("receiver"))["receive"])
    assert receive.http is not None
    assert (receive.http.request_bytes, receive.http.connections) == (8 * 2**20, 2000)
    assert {name for name, one in receive.doors.items() if not one.speaks_tls} == {"syslog_udp"}
    assert {name for name, one in receive.doors.items() if not one.knows_clients} == {"syslog_udp"}
    mounts = {one["mountPath"] for one in pod(rendered("receiver"))["containers"][0]["volumeMounts"]}
    assert "/run/secrets/tls" in mounts


def test_settings_that_have_doors_themselves_hold_and_a_program_of_ones_own_gets_none() -> None:
    text = '[receive.http]\nlisten = "0.0.0.0:8080"\ninsecure = true\n'
    own = render({"settings": text, "receiver": {"enabled": True}})
    assert settings(own) == tomllib.loads(text)
    assert "receive" not in settings(rendered("full"))
    assert {one["name"] for one in pod(rendered("full"))["containers"]} == {"receiver", "ingest"}


def test_probes_ask_the_address_of_metrics_and_else_the_door_of_http() -> None:
    def probes(given: dict[str, Any]) -> set[tuple[str, str, str]]:
        (container,) = pod(render(given))["containers"]
        asked = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
        return {(one["path"], one["port"], one["scheme"]) for one in asked}

    assert probes(ON) == {("/healthz", "metrics", "HTTP"), ("/readyz", "metrics", "HTTP")}
    port = [{"name": "otlp", "port": 4318, "door": "http"}]
    tls = {"receiver": {"enabled": True, "ports": port, "tls": {"existingSecret": "a"}}}
    assert probes(tls) == {("/healthz", "otlp", "HTTPS"), ("/readyz", "otlp", "HTTPS")}


@pytest.mark.parametrize("name", ["receiver", "full"])
def test_figures_are_for_prometheus_alone_and_not_on_the_service_that_others_reach(name: str) -> None:
    made = rendered(name)
    assert "metrics" not in ports(made, "shop-logshed-receiver")
    assert "metrics" in ports(made, "shop-logshed-receiver-pods")
    (policy,) = (one for one in of_kind(made, "NetworkPolicy") if one["metadata"]["name"] == "shop-logshed-receiver")
    taken, measured = policy["spec"]["ingress"]
    (port,) = measured["ports"]
    assert port["port"] not in [one["port"] for one in taken["ports"]]
    assert measured["from"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "prometheus"}


def test_it_has_the_lake_and_a_spool_that_stays_and_time_to_end() -> None:
    made = render(ON)
    mounts = {one["mountPath"] for one in pod(made)["containers"][0]["volumeMounts"]}
    assert {"/var/lib/logshed", "/var/lib/logshed/lake"} <= mounts
    (found,) = of_kind(made, "StatefulSet")
    assert found["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert pod(made)["terminationGracePeriodSeconds"] == 120
    assert pod(made)["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]


def test_several_share_tokens_and_a_drain_takes_one_at_a_time() -> None:
    made = rendered("receiver")
    (init,) = pod(made)["initContainers"]
    assert init["command"] == ["install", "-m", "0600", "/run/secrets/tokens/tokens.db", "/var/lib/logshed/tokens.db"]
    (budget,) = of_kind(made, "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
    assert not of_kind(render(ON), "PodDisruptionBudget")
