"""The Helm chart renders what Kubernetes takes, knows every key, and gives pods no more than they need."""

from __future__ import annotations

import copy
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft7Validator
from tests.deploy.charts import CHART, ROOT, SETS, helm, render, rendered, values
from tests.deploy.manifests import faults, maps

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
MAPS_OF_ONES_OWN = {
    "commonLabels",
    "env",
    "data",
    "annotations",
    "podAnnotations",
    "labels",
    "conf",
    "limits",
    "requests",
}
MAPS_OF_ONES_OWN |= {
    "nodeSelector",
    "http",
    "syslog_tcp",
    "syslog_udp",
    "forward",
    "rayOperatorNamespaceLabels",
    "matchLabels",
    "nodeAffinity",
    "global",
}
REFUSED = [
    ({"secrets": {"existing": "a", "data": {"B": "c"}}}, "more than one of secrets.existing"),
    ({"secrets": {"env": ["DB"]}}, "there is no Secret"),
    ({"secrets": {"external": {"enabled": True}}}, "secrets.external has no store or no data"),
    ({"catalog": {"password": "file:/run/secrets/logshed/P"}}, "cannot read file:"),
    ({"storage": {"warehouse": "s3://b/lake"}}, "catalog.uri is not"),
    ({"catalog": {"uri": "thrift://h:9083"}}, "the lake is a folder"),
    ({"ray": {"enabled": True, "paths": ["s3://b/a"]}}, "cannot ingest by ray"),
    (
        {"storage": {"warehouse": "s3://b/lake"}, "catalog": {"type": "glue"}, "spark": {"enabled": True}},
        "spark.paths is empty",
    ),
    ({"web": {"enabled": True}}, "no Redis is named"),
    ({"web": {"enabled": True, "replicas": 2}}, "each would have tokens of its own"),
    ({"web": {"enabled": True, "application": True, "replicas": 2}}, "cannot run"),
    (
        {"web": {"enabled": True, "application": True, "tokens": {"existingSecret": "t"}}},
        "accounts and sessions rest on its pod's volume",
    ),
    (
        {"web": {"enabled": True, "ingress": {"enabled": True}}, "env": {"LOGSHED_LIVE_REDIS": "redis://r"}},
        "web.ingress.host is empty",
    ),
    ({"receiver": {"enabled": True}}, "could be read on its way"),
    ({"receiver": {"enabled": True, "ports": []}}, "it has no port"),
    (
        {"receiver": {"enabled": True, "ports": [{"name": "metrics", "port": 9464, "door": "metrics"}]}},
        "its only port is that of metrics",
    ),
    ({"receiver": {"enabled": True, "insecure": True, "replicas": 2}}, "each would have tokens of its own"),
    (
        {"receiver": {"enabled": True, "command": ["/opt/take"], "tokens": {"existingSecret": "a"}}},
        "leave out one or the other",
    ),
    (
        {
            "receiver": {
                "enabled": True,
                "tls": {"existingSecret": "a"},
                "ports": [{"name": "syslog", "port": 6514, "door": "syslog_tcp"}],
            }
        },
        "nobody asks who sends to it",
    ),
    ({"metrics": {"serviceMonitor": {"enabled": True}}}, "no port of the name"),
]
IN_CLEAR = [
    {"storage": {"accessKey": "AKIAEXAMPLE"}},
    {"catalog": {"uri": "postgresql://logshed:hunter2@db/lakes"}},
    {"catalog": {"password": "hunter2"}},
]


def planted(value: Any, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Puts a key that none knows into every map that has keys of the chart's; gives their places."""
    found: set[tuple[str | int, ...]] = set()
    if isinstance(value, dict):
        for key, inner in list(value.items()):
            if key not in MAPS_OF_ONES_OWN:
                found |= planted(inner, (*at, key))
        value["mispelt"] = {}
        return found | {at}
    if isinstance(value, list):
        for index, inner in enumerate(value):
            found |= planted(inner, (*at, index))
    return found


@pytest.mark.parametrize("name", SETS)
def test_kubernetes_and_its_operators_take_every_manifest(name: str) -> None:
    made = rendered(name)
    wrong = {
        f"{one['kind']} {one['metadata']['name']} in {version}": found
        for one in made
        for version in ("1.27", "1.37")
        if (found := faults(one, version))
    }
    assert not wrong
    assert len({(one["kind"], one["metadata"]["name"], one["metadata"].get("namespace")) for one in made}) == len(made)


@pytest.mark.parametrize("name", SETS)
def test_a_misspelt_key_is_found_wherever_it_stands_in_a_manifest(name: str) -> None:
    for one in copy.deepcopy(rendered(name)):
        places = list(maps(one))
        for _, place in places:
            place["mispelt"] = 1
        found = {fault.split(": ")[0] for fault in faults(one, "1.37") if "'mispelt' was unexpected" in fault}
        assert found == {path for path, _ in places}, one["kind"]


@pytest.mark.parametrize(
    ("template", "right", "wrong"),
    [
        ("scheduler.yaml", "enableServiceLinks:", "enableServiceLink:"),
        ("ray.yaml", "shutdownAfterJobFinishes:", "shutDownAfterJobFinishes:"),
        ("spark.yaml", "restartPolicy:", "restartpolicy:"),
        ("_helpers.tpl", "readOnlyRootFilesystem:", "readOnlyRootFileSystem:"),
    ],
)
def test_a_misspelt_key_in_a_template_is_found(tmp_path: Path, template: str, right: str, wrong: str) -> None:
    chart = shutil.copytree(CHART, tmp_path / "logshed")
    path = chart / "templates" / template
    path.write_text(path.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    name = {"ray.yaml": "cluster-ray", "spark.yaml": "cluster-spark"}.get(template, "minimal")
    found = [fault for one in render(values(name), chart) for fault in faults(one, "1.37")]
    assert any(wrong.rstrip(":") in fault for fault in found)


def test_the_values_and_their_schema_know_the_same_keys() -> None:
    def keys(value: Any, schema: dict[str, Any], path: str = "") -> None:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        if isinstance(value, dict) and "properties" in schema:
            assert schema["additionalProperties"] is False, path
            optional = {"affinity", ".resources", ".headResources", ".workerResources", ".ingestResources", ".doors"}
            if not any(path.endswith(name) for name in optional):
                assert set(value) | ({"global"} if not path else set()) == set(schema["properties"]), path
            for key, inner in value.items():
                keys(inner, schema["properties"][key], f"{path}.{key}")

    keys(DEFAULTS, SCHEMA)
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("given", [DEFAULTS, *map(values, SETS)], ids=["defaults", *SETS])
def test_a_misspelt_value_is_found_wherever_it_stands(given: dict[str, Any]) -> None:
    check = Draft7Validator(SCHEMA)
    assert not list(check.iter_errors(given))
    wrong = copy.deepcopy(given)
    places = planted(wrong)
    found = {
        tuple(error.absolute_path) for error in check.iter_errors(wrong) if error.validator == "additionalProperties"
    }
    assert found == places
    with helm.Chart.load(CHART) as chart, pytest.raises(helm.HelmValuesError, match="'mispelt'"):
        chart.render(wrong, name="shop", namespace="logs")


@pytest.mark.parametrize("given", IN_CLEAR, ids=["key", "address", "password"])
def test_a_secret_in_clear_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(helm.HelmValuesError, match="does not match pattern"):
        render(given)


@pytest.mark.parametrize(("given", "cause"), REFUSED, ids=[cause for _, cause in REFUSED])
def test_values_that_cannot_work_are_refused_with_what_to_do(given: dict[str, Any], cause: str) -> None:
    with pytest.raises(helm.HelmRenderError, match=r"cannot .+: .+; .+") as raised:
        render(given)
    assert cause in str(raised.value)


def test_helm_finds_nothing_to_say_but_that_there_is_no_picture() -> None:
    found = [
        one["error"] for path in SETS.values() for one in helm.lint(CHART, yaml.safe_load(path.read_text()))["messages"]
    ]
    assert set(found) == {"icon is recommended"}


def test_the_chart_is_of_the_version_of_the_program() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    version = re.search(r'__version__ = "(.+)"', (ROOT / "src" / "logshed" / "__init__.py").read_text())
    assert version is not None
    assert chart["appVersion"] == version[1]
