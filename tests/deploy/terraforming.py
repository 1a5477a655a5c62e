"""Runs Terraform for tests: with the provider that lies on this machine, and with no way to AWS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

AWS = Path(__file__).parent.parent.parent / "deploy" / "terraform" / "aws"
PROVIDER = "registry.terraform.io/hashicorp/aws"
NOWHERE = "http://127.0.0.1:9"
"""Where nothing listens: a request that would leave this machine fails at once."""
ACCOUNT = "123456789012"
REPLACED = {
    "stand_in_override.tf": 'provider "aws" {\n  s3_use_path_style       = true\n  skip_metadata_api_check = true\n}\n',
    "modules/cluster/stand_in_override.tf": """
resource "aws_eks_addon" "before_nodes" {
  for_each                 = {}
  service_account_role_arn = null
  configuration_values     = null
}

resource "aws_eks_addon" "after_nodes" {
  for_each                 = {}
  service_account_role_arn = null
}
""",
    "modules/catalog/stand_in_override.tf": """
resource "aws_vpc_security_group_ingress_rule" "this" {
  referenced_security_group_id = aws_security_group.this.id
}
""",
}
"""What a stand-in (moto) does not know: add-ons of EKS, and the security group that EKS makes; by file."""


def program() -> str:
    """Terraform, or a skipped test."""
    found = shutil.which("terraform")
    if found is None:
        pytest.skip("terraform is not installed")
    return found


def _mirrors() -> list[Path]:
    """Folders where machines keep providers for use without a registry."""
    named = [Path(os.environ["LOGSHED_TEST_TERRAFORM_MIRROR"])] if "LOGSHED_TEST_TERRAFORM_MIRROR" in os.environ else []
    usual = [Path.home() / ".terraform.d/plugins", Path("/usr/local/share/terraform/plugins")]
    return [*named, *usual, Path("/usr/share/terraform/plugins"), *sorted(Path("/opt").glob("*"))]


def mirror() -> Path:
    """The folder that has the AWS provider, or a skipped test."""
    for folder in _mirrors():
        if any((folder / PROVIDER).glob("5.*/*/terraform-provider-aws*")):
            return folder
    pytest.skip("the AWS provider of Terraform is not on this machine; LOGSHED_TEST_TERRAFORM_MIRROR names its mirror")


class Terraform:
    """Terraform in a copy of the project's root.

    Args:
        folder: Where the copy is.
        environment: What to set, beside what keeps it on this machine.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        self.environment = {
            **kept,
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_CLI_ARGS": "-no-color",
            "CHECKPOINT_DISABLE": "1",
            "AWS_ENDPOINT_URL": NOWHERE,
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
            "HTTPS_PROXY": NOWHERE,
            "HTTP_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1",
            **environment,
        }

    def run(self, *words: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run it to its end, whatever that is."""
        return subprocess.run(
            [program(), *words],
            check=False,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def done(self, *words: str, timeout: float = 300) -> str:
        """What it prints when all goes well; what it complains of fails the test."""
        ended = self.run(*words, timeout=timeout)
        assert ended.returncode == 0, f"terraform {' '.join(words)}\n{ended.stdout[-4000:]}\n{ended.stderr[-4000:]}"
        return ended.stdout

    def plan(self, **variables: Any) -> dict[str, Any]:
        """A plan as JSON."""
        self.done("plan", "-out=plan", *(f"-var={name}={_text(value)}" for name, value in variables.items()))
        found: dict[str, Any] = json.loads(self.done("show", "-json", "plan"))
        return found

    def outputs(self) -> dict[str, Any]:
        """The outputs of what was applied."""
        return {name: one["value"] for name, one in json.loads(self.done("output", "-json")).items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def copied(folder: Path, environment: Mapping[str, str]) -> Terraform:
    """The project's root, copied and initialised with the provider of this machine; skips where there is none."""
    program()
    settings = folder / "terraform.rc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror()}"\n  }}\n}}\n')
    shutil.copytree(
        AWS,
        folder / "aws",
        ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "tfplan", "terraform.tfvars", "backend.tf"),
    )
    made = Terraform(folder / "aws", {"TF_CLI_CONFIG_FILE": str(settings), **environment})
    made.done("init", "-backend=false")
    return made
