"""The Terraform for AWS, applied to a stand-in for AWS (moto) here, does what docs/aws.md says, and goes again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.deploy.manifests import faults
from tests.deploy.terraforming import ACCOUNT, REPLACED, Terraform, copied
from tests.storages import KEY, S3, SECRET

from logshed.redaction.keyring import load_keys
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.soak

RAW, LAKE, ACCESS = (f"data-platform-{name}-{ACCOUNT}-us-east-1" for name in ("raw", "iceberg", "access"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    server = S3(tmp_path_factory.mktemp("moto"))
    server.start(env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def made(cloud: S3, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """The root, applied."""
    reached = {"AWS_ENDPOINT_URL": cloud.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    terraform = copied(tmp_path_factory.mktemp("terraform"), reached)
    for name, text in REPLACED.items():
        (terraform.folder / name).write_text(text)
    terraform.done("apply", "-auto-approve", "-var=protect_data=false", timeout=900)
    return terraform


@pytest.fixture(scope="module")
def outputs(made: Terraform) -> dict[str, Any]:
    return made.outputs()


def objects(outputs: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for name in ("namespaces", "objects") for one in json.loads(outputs[name])["items"]]


def rights(cloud: S3, role: str) -> list[dict[str, Any]]:
    """The statements of a role's own policy."""
    policy = cloud.client("iam").get_role_policy(RoleName=role, PolicyName="rights")["PolicyDocument"]
    statements: list[dict[str, Any]] = policy["Statement"]
    return statements


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("bucket", [RAW, LAKE, ACCESS])
@pytest.mark.usefixtures("made")
def test_buckets_are_encrypted_versioned_private_and_take_tls_alone(cloud: S3, bucket: str) -> None:
    s3 = cloud.client()
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    (tls,) = (
        one for one in json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"] if one["Effect"] == "Deny"
    )
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert tls["Action"] == "s3:*"
    assert set(tls["Resource"]) == {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"}


@pytest.mark.usefixtures("made")
def test_raw_goes_to_infrequent_access_after_30_days_and_the_lake_stays(cloud: S3) -> None:
    s3 = cloud.client()
    rules = {bucket: s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] for bucket in (RAW, LAKE, ACCESS)}
    moved = {bucket: [one for rule in some for one in rule.get("Transitions", ())] for bucket, some in rules.items()}
    assert moved == {RAW: [{"Days": 30, "StorageClass": "STANDARD_IA"}], LAKE: [], ACCESS: []}
    gone = {
        bucket: [rule["Expiration"]["Days"] for rule in some if "Expiration" in rule] for bucket, some in rules.items()
    }
    assert gone == {RAW: [], LAKE: [], ACCESS: [90]}
    assert all(
        any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays") == 7 for rule in some)
        for some in rules.values()
    )
    logged = {bucket: s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetPrefix"] for bucket in (RAW, LAKE)}
    assert logged == {RAW: "raw/", LAKE: "iceberg/"}


def test_the_network_has_endpoints_and_no_way_out(cloud: S3, outputs: dict[str, Any]) -> None:
    ec2 = cloud.client("ec2")
    here = [{"Name": "vpc-id", "Values": [outputs["vpc_id"]]}]
    endpoints = {
        one["ServiceName"].split(".", 3)[3]: one for one in ec2.describe_vpc_endpoints(Filters=here)["VpcEndpoints"]
    }
    assert set(endpoints) == {"autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "logs", "s3", "secretsmanager", "sts"}
    assert {one["VpcEndpointType"] for name, one in endpoints.items() if name != "s3"} == {"Interface"}
    assert endpoints["s3"]["VpcEndpointType"] == "Gateway"
    assert ec2.describe_nat_gateways(Filter=here)["NatGateways"] == []
    subnets = ec2.describe_subnets(Filters=here)["Subnets"]
    assert not any(one["MapPublicIpOnLaunch"] for one in subnets)
    private = {table["RouteTableId"]: table for table in ec2.describe_route_tables(Filters=here)["RouteTables"]}
    out = [
        route
        for table in private.values()
        if {one.get("SubnetId") for one in table["Associations"]} & set(outputs["private_subnet_ids"])
        for route in table["Routes"]
        if route.get("DestinationCidrBlock") == "0.0.0.0/0"
    ]
    assert out == []


@pytest.mark.usefixtures("made")
def test_the_registry_scans_pushes_and_lets_no_tag_be_changed(cloud: S3) -> None:
    found = cloud.client("ecr").describe_repositories()["repositories"]
    assert {one["repositoryName"].removeprefix("data-platform/") for one in found} == {
        "cluster-autoscaler", "clickhouse-server", "external-secrets", "hive-metastore", "kuberay-operator",
        "spark-aggregate", "spark-ingest", "spark-operator",
    }  # fmt: skip
    assert {one["imageTagMutability"] for one in found} == {"IMMUTABLE"}
    assert all(one["imageScanningConfiguration"]["scanOnPush"] for one in found)


@pytest.mark.usefixtures("made")
def test_roles_are_taken_by_one_service_account_and_have_no_wildcard(cloud: S3) -> None:
    iam = cloud.client("iam")
    expected = {
        "lake": ["spark:spark", "logshed:logshed", "logshed:logshed-spark"],
        "clickhouse": ["clickhouse:clickhouse"],
        "metastore": ["hive:hive-metastore"],
        "external-secrets": ["external-secrets:external-secrets"],
        "autoscaler": ["kube-system:cluster-autoscaler"],
    }
    for role, accounts in expected.items():
        trust = iam.get_role(RoleName=f"data-platform-{role}")["Role"]["AssumeRolePolicyDocument"]
        (statement,) = trust["Statement"]
        equal = {key.rpartition(":")[2]: value for key, value in statement["Condition"]["StringEquals"].items()}
        assert listed(equal["aud"]) == ["sts.amazonaws.com"]
        assert sorted(listed(equal["sub"])) == sorted(f"system:serviceaccount:{one}" for one in accounts)
        for one in rights(cloud, f"data-platform-{role}"):
            assert not any("*" in action for action in listed(one["Action"]))
            if one["Sid"] != "Look":
                assert "*" not in listed(one["Resource"])


@pytest.mark.usefixtures("made")
def test_the_lake_is_written_by_its_role_alone_and_raw_by_none(cloud: S3) -> None:
    allowed: dict[str, set[tuple[str, str]]] = {}
    for role in ("lake", "clickhouse", "metastore"):
        allowed[role] = {
            (action, resource)
            for one in rights(cloud, f"data-platform-{role}")
            if one["Effect"] == "Allow"
            for action in listed(one["Action"])
            for resource in listed(one["Resource"])
        }
    lake, raw = f"arn:aws:s3:::{LAKE}/*", f"arn:aws:s3:::{RAW}/*"
    deleters = {role for role, some in allowed.items() if ("s3:DeleteObject", lake) in some}
    assert deleters == {"lake"}
    assert not any(("s3:PutObject", raw) in some or ("s3:DeleteObject", raw) in some for some in allowed.values())
    assert {action for action, resource in allowed["clickhouse"] if resource == lake} == {"s3:GetObject"}
    denied = [one for one in rights(cloud, "data-platform-clickhouse") if one["Effect"] == "Deny"]
    assert [listed(one["Resource"]) for one in denied] == [[f"arn:aws:s3:::{LAKE}/*names.key"]]


def test_secrets_differ_and_are_in_no_state_and_the_key_is_one_of_logsheds(
    cloud: S3, made: Terraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = cloud.client("secretsmanager")
    values = {
        name: secrets.get_secret_value(SecretId=f"data-platform/{name}")["SecretString"]
        for name in ("catalog-db", "clickhouse", "pseudonym-keys")
    }
    assert len(set(values.values())) == 3
    monkeypatch.setenv("PSEUDONYM_KEYS", values["pseudonym-keys"])
    assert len(load_keys("env:PSEUDONYM_KEYS").keys) == 1
    state = (made.folder / "terraform.tfstate").read_text()
    assert "data-platform/catalog-db" in state
    assert not any(value in state for value in values.values())


@pytest.mark.usefixtures("made")
def test_the_database_is_encrypted_and_reached_from_inside_alone(cloud: S3) -> None:
    (one,) = cloud.client("rds").describe_db_instances()["DBInstances"]
    assert (one["Engine"], one["DBName"], one["DBInstanceClass"]) == ("mysql", "hive_metastore", "db.t4g.micro")
    assert one["StorageEncrypted"]
    assert not one["PubliclyAccessible"]
    assert one["BackupRetentionPeriod"] == 7


def test_nodes_are_on_demand_for_the_system_and_spot_for_executors(cloud: S3, outputs: dict[str, Any]) -> None:
    eks = cloud.client("eks")
    cluster = eks.describe_cluster(name=outputs["cluster_name"])["cluster"]
    assert cluster["version"] == "1.33"
    assert not cluster["resourcesVpcConfig"]["endpointPublicAccess"]
    assert cluster["encryptionConfig"][0]["resources"] == ["secrets"]
    groups = {
        name: eks.describe_nodegroup(clusterName=outputs["cluster_name"], nodegroupName=name)["nodegroup"]
        for name in eks.list_nodegroups(clusterName=outputs["cluster_name"])["nodegroups"]
    }
    assert {name: (one["capacityType"], one["scalingConfig"]["minSize"]) for name, one in groups.items()} == {
        "executors": ("SPOT", 0),
        "system-us-east-1a": ("ON_DEMAND", 2),
    }


def test_what_goes_into_the_cluster_is_sound_and_comes_from_the_own_registry(outputs: dict[str, Any]) -> None:
    found = objects(outputs)
    assert [fault for one in found for fault in faults(one, "1.33")] == []
    images = re.findall(r'"image": "([^"]+)"', json.dumps(found))
    assert len(images) == 4
    assert all(image.startswith(f"{outputs['registry']}/data-platform/") for image in images)
    mirrored = {one["to"].rpartition(":")[0] for one in outputs["mirrored_images"].values()}
    for one in json.loads(outputs["releases"]):
        image = one["values"]["image"]
        assert "/".join(part for part in (image.get("registry"), image["repository"]) if part) in mirrored
    accounts = {
        one["metadata"]["name"]: one["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for one in found
        if one["kind"] == "ServiceAccount"
    }
    assert accounts == {
        "hive-metastore": outputs["role_arns"]["metastore"],
        "clickhouse": outputs["role_arns"]["clickhouse"],
    }


def test_logshed_takes_the_settings_that_the_jobs_are_given(outputs: dict[str, Any], tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, environ=outputs["logshed_settings"])
    assert (settings.storage.warehouse, settings.storage.region) == (f"s3://{LAKE}/lake", "us-east-1")
    assert (settings.catalog.type, settings.catalog.uri.get_secret_value()) == ("hive", outputs["metastore_uri"])


def test_the_script_installs_namespaces_then_operators_then_the_rest(made: Terraform) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    ran = subprocess.run(
        [made.folder / "kubernetes.sh", "show"], check=True, capture_output=True, text=True, env=made.environment
    )
    commands = [line.split() for line in ran.stdout.splitlines()]
    assert [words[0] for words in commands] == ["kubectl", "helm", "helm", "helm", "helm", "kubectl"]
    assert [words[3] for words in commands if words[0] == "helm"] == [
        "external-secrets", "spark-operator", "kuberay-operator", "cluster-autoscaler",
    ]  # fmt: skip
    named = {words[index + 1] for words in commands for index, one in enumerate(words) if one.endswith("context")}
    assert named == {made.outputs()["cluster_arn"]}
    assert all(any(one.endswith("context") for one in words) for words in commands)


def test_applying_again_would_change_nothing_that_the_stand_in_keeps(made: Terraform) -> None:
    changes = made.plan(protect_data=False)["resource_changes"]
    changed = [
        one["address"]
        for one in changes
        if one["change"]["actions"] not in (["no-op"], ["read"])
        and re.match(r"module\.(storage|registry|network|keys|secrets)", one["address"])
    ]
    assert changed == []


def test_the_other_switches_turn_the_plan_round(made: Terraform, tmp_path: Path) -> None:
    plan = made.plan(
        protect_data=True, multi_az=True, enable_nat_gateway=True, catalog="glue",
        raw_expiration_days=90, node_size="m7i.large",
    )  # fmt: skip
    given = plan["planned_values"]["outputs"]["logshed_settings"]["value"]
    catalog = Settings.load(tmp_path, environ=given).catalog
    assert catalog.type == "glue"
    assert catalog.properties["glue.region"].get_secret_value() == "us-east-1"
    after = {one["address"]: one["change"]["after"] for one in plan["resource_changes"] if one["change"]["after"]}
    assert sum(".aws_nat_gateway." in address for address in after) == 3
    groups = [one for address, one in after.items() if ".aws_eks_node_group.system" in address]
    assert {one["scaling_config"][0]["min_size"] for one in groups} == {1}
    assert len(groups) == 3
    assert after["module.cluster.aws_eks_node_group.executors"]["instance_types"] == ["m7i.large"]
    assert not any(address.startswith(("module.catalog", "module.metastore")) for address in after)
    assert 'module.registry.aws_ecr_repository.this["hive-metastore"]' not in after
    raw = after['module.storage.aws_s3_bucket_lifecycle_configuration.this["raw"]']
    assert [one["expiration"][0]["days"] for one in raw["rule"] if one["id"] == "expire"] == [90]
    assert not any(one["force_destroy"] for address, one in after.items() if ".aws_s3_bucket.this" in address)


def test_then_destroying_leaves_nothing(cloud: S3, made: Terraform) -> None:
    made.done("destroy", "-auto-approve", "-var=protect_data=false", timeout=900)
    assert made.done("state", "list") == ""
    assert not any("data-platform" in one["Name"] for one in cloud.client().list_buckets()["Buckets"])
    assert cloud.client("ecr").describe_repositories()["repositories"] == []
    assert cloud.client("rds").describe_db_instances()["DBInstances"] == []
