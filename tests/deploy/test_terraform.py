"""The Terraform for AWS is valid, has the promised defaults, switches what it says, and names sound objects."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from tests.deploy.manifests import faults
from tests.deploy.terraforming import AWS, Terraform, copied, program

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMISED = {
    "project_name": "data-platform",
    "aws_region": "us-east-1",
    "eks_version": "1.33",
    "multi_az": False,
    "enable_nat_gateway": False,
    "create_vpc_endpoints": True,
    "spark_namespace": "spark",
    "hive_namespace": "hive",
    "clickhouse_namespace": "clickhouse",
    "db_name": "hive_metastore",
}
NAMED = {
    *PROMISED, "node_size", "sys_node_size", "deploy_spark_jobs", "hive_metastore_image", "hive_metastore_replicas",
    "s3_raw_bucket_name", "s3_iceberg_bucket_name", "db_username", "db_instance_class", "db_allocated_storage",
}  # fmt: skip
TARGETS = {
    "init", "plan", "apply", "destroy", "kubeconfig", "hms-port", "build-images", "build-images-dry", "build-hive",
    "build-spark-ingest", "build-spark-aggregate", "ecr-login", "ecr-list", "ecr-images",
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return copied(tmp_path_factory.mktemp("terraform"), {})


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What the modules of the cluster's inside say; they need no provider."""
    program()
    folder = tmp_path_factory.mktemp("objects")
    text = Path(__file__).with_name("objects.tf").read_text(encoding="utf-8")
    (folder / "main.tf").write_text(text.replace("../../deploy/terraform/aws", str(AWS)))
    terraform = Terraform(folder, {})
    terraform.done("init")
    terraform.done("apply", "-auto-approve")
    return {name: [json.loads(one) for one in some] for name, some in terraform.outputs()["objects"].items()}


def pods(objects: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Specifications of pods, wherever they are."""
    for one in (*objects["metastore"], *objects["clickhouse"]):
        if one["kind"] in ("Deployment", "StatefulSet"):
            yield one["spec"]["template"]["spec"]


def jobs(objects: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one["spec"] for one in objects["once"] if one["kind"] == "SparkApplication"}


def declared(path: Path) -> dict[str, str]:
    """The variables of a file, each with its text."""
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return dict(blocks)


def default_of(block: str) -> Any:
    found = re.search(r"^  default\s+= (.+)$", block, re.MULTILINE)
    assert found, block
    return json.loads(found[1])


def test_the_files_are_formatted_and_valid(root: Terraform) -> None:
    assert root.done("fmt", "-check", "-recursive") == ""
    assert "configuration is valid" in root.done("validate")


def test_the_switches_switch_and_what_cannot_be_is_refused(root: Terraform) -> None:
    assert "5 passed, 0 failed" in root.done("test")


def test_defaults_are_the_promised_ones_and_every_variable_says_what_it_is() -> None:
    variables = declared(AWS / "variables.tf")
    assert set(variables) >= NAMED
    assert {name: default_of(variables[name]) for name in PROMISED} == PROMISED
    for folder in (AWS, *(AWS / "modules").iterdir()):
        for path in folder.glob("*.tf"):
            for name, block in declared(path).items():
                assert re.search(r'description = ".+\."', block), f"{path}: {name}"


def test_the_page_lists_every_variable_with_its_default() -> None:
    page = (AWS.parents[2] / "docs" / "aws.md").read_text(encoding="utf-8")
    section = page.partition("## Variables")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^|]*?)`? \|", section, re.MULTILINE))
    variables = declared(AWS / "variables.tf")
    assert set(rows) == set(variables)
    defaults = {name: default_of(block) for name, block in variables.items()}
    shown = {
        name: one if isinstance(one, str) else json.dumps(one) for name, one in defaults.items() if one is not None
    }
    assert rows == {**dict.fromkeys(defaults, ""), **shown}


def test_make_has_every_target_and_builds_three_images_from_folders_that_are_there() -> None:
    text = (AWS / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z -]*):", text, re.MULTILINE))
    assert set(" ".join(targets).split()) >= TARGETS
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    ran = subprocess.run(
        [make, "build-images-dry", "TERRAFORM=false", "PROJECT=p"], check=True, capture_output=True, text=True, cwd=AWS
    )
    pushed = re.findall(r"^docker push \S+?/p/(\S+):", ran.stdout, re.MULTILINE)
    assert pushed == ["hive-metastore", "spark-ingest", "spark-aggregate"]
    contexts = re.findall(r"^docker build .* (images/\S+)$", ran.stdout, re.MULTILINE)
    assert len(contexts) == len(pushed)
    assert all((AWS / context / "Dockerfile").is_file() for context in contexts)
    refused = subprocess.run(
        [make, "ecr-images", "TERRAFORM=false"], check=False, capture_output=True, text=True, cwd=AWS
    )
    assert "no repository is named; make ecr-images REPO=" in refused.stderr


def test_objects_are_what_kubernetes_and_its_operators_take(objects: dict[str, list[dict[str, Any]]]) -> None:
    found = [one for some in objects.values() for one in some]
    assert {one["kind"] for one in found} == {
        "ConfigMap", "Deployment", "ExternalSecret", "NetworkPolicy", "PodDisruptionBudget",
        "ScheduledSparkApplication", "Service", "ServiceAccount", "SparkApplication", "StatefulSet",
    }  # fmt: skip
    assert [fault for one in found for fault in faults(one, "1.33")] == []


def test_a_misspelt_key_is_found(objects: dict[str, list[dict[str, Any]]]) -> None:
    (job, *_) = (one for one in objects["once"] if one["kind"] == "SparkApplication")
    job = json.loads(json.dumps(job))
    job["spec"]["driver"]["memoryOverHead"] = job["spec"]["driver"].pop("memoryOverhead")
    (fault,) = faults(job, "1.33")
    assert "memoryOverHead" in fault


def test_pods_cannot_become_root_nor_write_their_image_nor_show_a_password(
    objects: dict[str, list[dict[str, Any]]],
) -> None:
    found = list(pods(objects))
    assert len(found) == 2
    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= set(container["resources"])
            secret = [one for one in container["env"] if "PASSWORD" in one["name"]]
            assert secret
            assert all("valueFrom" in one and "value" not in one for one in secret)


def test_the_metastore_answers_thrift_on_9083_to_those_who_may_ask(objects: dict[str, list[dict[str, Any]]]) -> None:
    by_kind = {one["kind"]: one["spec"] for one in objects["metastore"] if "spec" in one}
    assert [port["port"] for port in by_kind["Service"]["ports"]] == [9083]
    assert by_kind["Deployment"]["replicas"] == 2
    (allowed,) = by_kind["NetworkPolicy"]["ingress"]
    assert [one["namespaceSelector"]["matchLabels"] for one in allowed["from"]] == [
        {"kubernetes.io/metadata.name": "spark"},
        {"kubernetes.io/metadata.name": "logshed"},
    ]


def test_the_two_jobs_run_logshed_on_spark(objects: dict[str, list[dict[str, Any]]]) -> None:
    found = jobs(objects)
    assert {name: spec["arguments"][0] for name, spec in found.items()} == {
        "ingest-logs-spark351-prod": "ingest",
        "aggregate-logs-spark351-prod": "aggregate",
    }
    for spec in found.values():
        assert spec["arguments"][spec["arguments"].index("--engine") + 1] == "spark"
        assert spec["mainApplicationFile"] == "local:///opt/logshed/job.py"
        mounted = {mount["name"] for mount in spec["driver"]["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}
    scheduled = [one for one in objects["hourly"] if one["kind"] == "ScheduledSparkApplication"]
    assert {one["metadata"]["name"]: one["spec"]["template"] for one in scheduled} == found
    assert {one["spec"]["schedule"] for one in scheduled} == {"0 * * * *"}


def test_the_metastores_settings_are_sound_whatever_the_password_and_for_it_alone(tmp_path: Path) -> None:
    programs = tmp_path / "hive" / "bin"
    programs.mkdir(parents=True)
    for name in ("schematool", "hive"):
        # What is looked at is the file that it would read.
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (programs / name).chmod(0o755)
    given = {"DB_HOST": "db", "DB_NAME": "hive_metastore", "DB_USER": "hive", "DB_PASSWORD": "a<b&c>d"}
    given |= {"WAREHOUSE": "s3://lake/lake", "CONF_DIR": str(tmp_path / "conf")}
    environment = {**os.environ, "HIVE_HOME": str(tmp_path / "hive")}
    environment |= {f"METASTORE_{name}": value for name, value in given.items()}
    entrypoint = AWS / "images" / "hive-metastore" / "entrypoint"
    ran = subprocess.run(["bash", entrypoint], check=True, capture_output=True, text=True, env=environment)
    assert [line.split()[0] for line in ran.stdout.splitlines()] == ["schematool", "hive"]
    assert "a<b&c>d" not in ran.stdout
    path = tmp_path / "conf" / "hive-site.xml"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    root = ET.parse(path).getroot()  # noqa: S314 - our own
    found = {one.findtext("name"): one.findtext("value") for one in root.iter("property")}
    assert found["javax.jdo.option.ConnectionPassword"] == "a<b&c>d"
    assert found["javax.jdo.option.ConnectionURL"] == (
        "jdbc:mariadb://db:3306/hive_metastore?useSsl=true&serverSslCert=/opt/rds.pem"
    )


def test_every_skip_of_checkov_has_its_reason() -> None:
    skips = [
        skip
        for path in AWS.rglob("*.tf")
        for skip in re.findall(r"#checkov:skip=(.*)", path.read_text(encoding="utf-8"))
    ]
    assert skips
    assert all(re.fullmatch(r"CKV2?_AWS_\d+:.{20,}", skip) for skip in skips), skips
